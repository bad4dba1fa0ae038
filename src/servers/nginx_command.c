/* SPDX-License-Identifier: ISC */
/* servers/nginx_command.c -- nginx's own command line, and its own words. */
#include "servers/nginx_command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "servers/nginx.h"

enum { WORDS_MAX = 300 }; /* of nginx, in a sentence of ours */

static const char *const *
options(enum nginx_verb verb)
{
	static const char *const dump[] = {"-T", NULL};
	static const char *const test[] = {"-t", NULL};
	static const char *const reload[] = {"-s", "reload", NULL};

	switch (verb) {
	case NGINX_DUMP:
		return dump;
	case NGINX_TEST:
		return test;
	case NGINX_RELOAD:
		return reload;
	}
	return test;
}

/* FOLDERS is like PATH: separated by colons.  The file, owned, or NULL. */
static char *
find_in(const char *folders, const char *name)
{
	char *copy = mem_string(folders);
	char *found = NULL;
	char *rest = copy;

	for (char *folder; found == NULL && (folder = strsep(&rest, ":"));) {
		char *path = mem_printf("%s/%s", folder, name);

		if (access(path, X_OK) == 0)
			found = path;
		else
			free(path);
	}
	free(copy);
	return found;
}

static void
complete_path(char **command)
{
	static const char servers[] = "/usr/sbin:/usr/local/sbin:/sbin:"
				      "/usr/local/nginx/sbin:"
				      "/usr/local/openresty/nginx/sbin";
	const char *path = getenv("PATH");
	char *found;

	if (*command == NULL || strchr(*command, '/') != NULL)
		return;
	found = path == NULL ? NULL : find_in(path, *command);
	if (found == NULL)
		found = find_in(servers, *command);
	if (found != NULL) {
		free(*command);
		*command = found;
	}
}

bool
nginx_is_installed(void)
{
	char *command = mem_string("nginx");
	bool found;

	complete_path(&command);
	found = strchr(command, '/') != NULL;
	free(command);
	return found;
}

struct proc *
nginx_command_start(uv_loop_t *loop, const struct nginx *nginx,
    enum nginx_verb verb,
    void (*cb)(void *cookie, const struct proc_result *result), void *cookie)
{
	char **argv = proc_argv(nginx->command, options(verb));
	struct proc *proc;

	complete_path(&argv[0]);
	proc = proc_start(loop, argv, NGINX_DEADLINE_MS, cb, cookie);
	proc_argv_free(argv);
	return proc;
}

/* The line of TEXT that says why: the first of the gravest kind, else the
 * last that says anything. */
static const char *
telling_line(const char *text)
{
	static const char *const kinds[] = {
	    "[emerg]", "[alert]", "[crit]", "[error]"};
	const char *last = text;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *found = strstr(text, kinds[i]);

		if (found != NULL)
			return found;
	}
	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		if (*line != '\n')
			last = line;
	}
	return last;
}

int
nginx_command_check(const struct nginx *nginx, enum nginx_verb verb,
    const struct proc_result *result, const char *more, struct err *err)
{
	const char *const *option = options(verb);
	const char *words = telling_line(result->errors);
	int len = (int)strcspn(words, "\n");

	if (result->exit_status == 0)
		return 0;
	if (len == 0)
		words = "nothing", len = (int)strlen(words);
	return err_set(err,
	    verb == NGINX_RELOAD ? REASON_SERVER_RELOAD : REASON_SERVER_CONFIG,
	    "`%s %s%s%s` fails and says: %.*s%s%s", nginx->command, option[0],
	    option[1] == NULL ? "" : " ", option[1] == NULL ? "" : option[1],
	    len < WORDS_MAX ? len : WORDS_MAX, words,
	    more[0] == '\0' ? "" : "; ", more);
}

bool
nginx_command_not_running(const struct proc_result *result)
{
	/* No pid file; an empty one, which `nginx -t` leaves; a stale one. */
	static const char *const words[] = {"(2: No such file or directory)",
	    "invalid PID number", "(3: No such process)"};

	if (result->exit_status <= 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(result->errors, words[i]) != NULL &&
		    strstr(result->errors, "[emerg]") == NULL)
			return true;
	}
	return false;
}
