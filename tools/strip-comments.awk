# tools/strip-comments.awk -- C without its comments, line for line.
#
# Comments become blanks and strings become "", so that what is found in the
# rest is code; line numbers stay.  `#include "x"` keeps its name.
/^[ \t]*#[ \t]*include/ && !inside { sub(/[ \t]*\/[*].*[*]\/[ \t]*$/, ""); print; next }
{
	out = ""
	n = length($0)
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		two = substr($0, i, 2)
		if (inside) {
			if (two == "*/") { inside = 0; i++ }
		} else if (two == "/*") {
			inside = 1
			i++
			out = out " "
		} else if (two == "//") {
			break
		} else if (c == "\"" || c == "'") {
			for (i++; i <= n; i++) {
				d = substr($0, i, 1)
				if (d == "\\") i++
				else if (d == c) break
			}
			out = out c c
		} else {
			out = out c
		}
	}
	print out
}
