/* SPDX-License-Identifier: ISC */
/* test_diagnose.c -- doctor/diagnose: networks as facts in, the one cause out.
 *
 * Each scenario of NETWORK-TRUTH 4.2 by its number, its nearest look-alike
 * beside it, and the extra rows.  "r1", "r2" are 192.0.2.53 and .54, the dark
 * address is 192.0.2.99; .1 is right, .77 forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/diagnose_priv.h"
#include "doctor/finding.h"
#include "doctor_facts.h"

#define R1 "udp://192.0.2.53"
#define R1T "tcp://192.0.2.53"
#define R1E "tls://192.0.2.53"
#define R2 "udp://192.0.2.54"
#define E1 "tls://192.0.2.101"
#define ANYBODY "tls://192.0.2.103#insecure"
#define E2 "https://dns.example/q"
#define DARK "dark://192.0.2.99"
#define AUTH "auth://192.0.2.88"
#define AUTHT "authtcp://192.0.2.88"

/* What is the same in most rows. */
#define CERT "input\n"
#define GOOD "fetch 192.0.2.1 ok\n"
#define DEAD "fetch 192.0.2.77 connect-timeout x3\n"
#define SYS_RIGHT "ask system responder = 192.0.2.1\n"
#define SYS_WRONG "ask system responder = 192.0.2.77\n"
#define E1_RIGHT "ask " E1 " responder = 192.0.2.1\n"
#define WEB "web ok\n"
#define R1_CONTROL                           \
	"ask " R1 " control = 192.0.2.200\n" \
	"ask " R1 " random = nx\n"
#define DARK_SILENT_CONTROL "ask " DARK " control = silent\n"
#define FORGED_R1 "ask " R1 " responder = 192.0.2.77 noedns ttl201\n"

#define NOW_AND_THEN                                \
	"ask " R1 " responder = 192.0.2.1\nask " R1 \
	" responder = 192.0.2.77\n"                 \
	"ask " R1 " responder = 192.0.2.1\nask " R1 \
	" responder = 192.0.2.77\n"                 \
	"ask " R1 " responder = 192.0.2.1\n"
#define ROTATING(marks)                                        \
	"ask " R1 " responder = 203.0.113.1" marks "\nask " R1 \
	" responder = 198.51.100.1" marks "\nask " R1          \
	" responder = 192.0.2.77" marks "\n"
#define ROTATING_DEAD                                                    \
	DEAD "fetch 203.0.113.1 connect-refused x3\nfetch 198.51.100.1 " \
	     "connect-refused x3\n"
#define NEIGHBOURS                                           \
	"ask " R1 " responder = 203.0.113.1 noedns\nask " R1 \
	" responder = 203.0.113.2 noedns\nask " R1           \
	" responder = 203.0.113.3 noedns\n"

static const struct row {
	const char *name;
	const char *facts;
	const char *primary;
	enum certainty certainty;
	const char *also;  /* a code that must be there too, or NULL */
	const char *never; /* a code that must not be there, or NULL */
	const char *scope; /* of the primary, or NULL: any */
} rows[] = {
    {"1 healthy",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL GOOD
		       "served 1 good\nserved 2 good\n",
	"ok", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"2 geo answers differ, all work",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R2
		       " responder = 192.0.2.2\n" GOOD "fetch 192.0.2.2 ok\n",
	"ok-geo", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"2 look-alike: one of them was not tried",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R2
		       " responder = 192.0.2.2\n" GOOD,
	"dns-differs", CERTAINTY_NOT_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"3 injection on the path",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL DARK_SILENT_CONTROL
	"ask " DARK " responder = 192.0.2.77 noedns\n" E1_RIGHT GOOD DEAD WEB,
	"dns-injection", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", "host"},
    {"3 by the type alone: an address for TXT",
	CERT SYS_WRONG FORGED_R1
	"ask " R1
	" responder txt = 192.0.2.77 forged-type\n" R1_CONTROL E1_RIGHT GOOD
	    DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"4 the genuine one comes late",
	CERT SYS_WRONG "ask " R1
		       " responder = 192.0.2.77 noedns ttl201 / 192.0.2.1\n"
		       "" R1_CONTROL GOOD DEAD,
	"dns-injection-race", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"4 look-alike: two answers to one question, and both are right",
	CERT SYS_RIGHT "ask " R1
		       " responder = 192.0.2.1 / 192.0.2.2\n" R1_CONTROL GOOD
		       "fetch 192.0.2.2 ok\n",
	"ok", CERTAINTY_PROVEN, NULL, "dns-injection-race", NULL},
    {"3 look-alike: a resolver is there, which is right",
	CERT SYS_RIGHT "ask " R1
		       " responder = 192.0.2.1\n" R1_CONTROL DARK_SILENT_CONTROL
		       "ask " DARK " responder = 192.0.2.1\n" GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"4 look-alike: the same answer twice",
	CERT SYS_RIGHT "ask " R1
		       " responder = 192.0.2.1 / 192.0.2.1\n" R1_CONTROL GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "dns-injection-race", NULL},
    {"5 one resolver is wrong, by every transport",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1E
		       " responder = 192.0.2.77\nask " R2
		       " responder = 192.0.2.1\n" R1_CONTROL GOOD DEAD,
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"5 tried only once: no more than consistent",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R2
		       " responder = 192.0.2.1\n" R1_CONTROL GOOD
		       "fetch 192.0.2.77 connect-timeout\n",
	"dns-resolver-wrong", CERTAINTY_CONSISTENT, NULL, "dns-injection",
	NULL},
    {"5 nothing is proven: nobody is wrong",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R2
		       " responder = 192.0.2.1\n" R1_CONTROL DEAD
		       "fetch 192.0.2.1 connect-timeout x3\n" WEB,
	"inconclusive", CERTAINTY_NOT_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"5 forged addresses in its cache, which rotate: it says so over TCP",
	CERT SYS_WRONG ROTATING(" noedns") R1_CONTROL
	"ask " R1T " responder = 192.0.2.77\n" GOOD ROTATING_DEAD,
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"5 look-alike: it answers every question, of any type, with one address",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1
		       " responder txt = 192.0.2.77 forged-type\nask " R1
		       " control = 192.0.2.77\nask " R1
		       " random = 192.0.2.77\n" E1_RIGHT GOOD DEAD,
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"5 look-alike: the zone's own server names that address too",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1T
		       " responder = 192.0.2.77\n" R1_CONTROL "ask " AUTH
		       " responder = 192.0.2.77\nask " AUTHT
		       " responder = 192.0.2.77\n" E1_RIGHT GOOD DEAD WEB,
	"net-blackhole", CERTAINTY_STRONG, NULL, "dns-resolver-wrong", NULL},
    {"5 look-alike: so does another one that was asked over TLS",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1T
		       " responder = 192.0.2.77\n" R1_CONTROL "ask " E2
		       " responder = 192.0.2.77\n" E1_RIGHT GOOD DEAD,
	"dns-resolver-wrong", CERTAINTY_CONSISTENT, NULL, "dns-injection",
	NULL},
    {"6 only the path to one resolver",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL
	"ask " R1T " responder = 192.0.2.1\n" GOOD DEAD,
	"dns-injection", CERTAINTY_STRONG, NULL, "dns-resolver-wrong", NULL},
    {"6 look-alike: only the transport differs",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\n" R1_CONTROL
		       "ask " R1T " responder = 192.0.2.1\n" GOOD DEAD,
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"6 the pool is a circumstance beside another one",
	CERT SYS_WRONG
	"ask " R1
	" responder = 192.0.2.77 noedns pooled\n" R1_CONTROL GOOD DEAD,
	"dns-injection", CERTAINTY_STRONG, NULL, NULL, NULL},
    {"6 it takes authority where RD is 0, beside another circumstance",
	CERT SYS_WRONG
	"ask " R1 " responder = 192.0.2.77 noedns\nask " R1
	" responder rd0 = 192.0.2.77 noedns aa\n" R1_CONTROL GOOD DEAD,
	"dns-injection", CERTAINTY_STRONG, NULL, NULL, NULL},
    {"6 look-alike: it has authority in both",
	CERT SYS_WRONG
	"ask " R1 " responder = 192.0.2.77 noedns aa\nask " R1
	" responder rd0 = 192.0.2.77 noedns aa\n" R1_CONTROL GOOD DEAD,
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"7 only the last CNAME link",
	CERT SYS_WRONG
	"ask " R1
	" responder = >edge.example >a771.cdn.example 192.0.2.77\n" R1_CONTROL
	    DARK_SILENT_CONTROL "ask " DARK " responder = silent\n"
	"ask " DARK " chain a771.cdn.example = 192.0.2.77\nask " DARK
	" sibling = silent\n" E1_RIGHT GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", "host"},
    {"8 only the first name",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL DARK_SILENT_CONTROL
	"ask " DARK " responder = 192.0.2.77\n"
	"ask " DARK " chain a771.cdn.example = silent\n" E1_RIGHT GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, NULL, "host"},
    {"9 a whole zone",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL DARK_SILENT_CONTROL
	"ask " DARK " chain a771.cdn.example = 192.0.2.77\n"
	"ask " DARK
	" sibling q7x2.cdn.example = 192.0.2.78\n" E1_RIGHT GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, NULL, "*.cdn.example"},
    {"10 an unanchored rule",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL DARK_SILENT_CONTROL
	"ask " DARK " chain a771.cdn.example = 192.0.2.77\n"
	"ask " DARK " embedded = 192.0.2.78\n" E1_RIGHT GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, NULL, "pattern"},
    {"11 intercepted, and honest",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
		       "ask " DARK " control = 192.0.2.200\n"
		       "ask " DARK " responder = 192.0.2.1\n" GOOD,
	"dns-intercepted", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"12 intercepted, and rewritten",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\n" R1_CONTROL
		       "ask " DARK " control = 192.0.2.200\n"
		       "ask " DARK
		       " responder = 192.0.2.77\n" E1_RIGHT GOOD DEAD,
	"dns-intercepted-policy", CERTAINTY_PROVEN, NULL, "dns-injection",
	NULL},
    {"11+41 intercepted honestly, and the responder is down",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
		       "ask " DARK " control = 192.0.2.200\n"
		       "ask " DARK " responder = 192.0.2.1\n" E1_RIGHT
		       "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, "dns-intercepted",
	"dns-intercepted-policy", NULL},
    {"11+38 a portal answers every question with itself",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1
		       " control = 192.0.2.77\n"
		       "ask " DARK " control = 192.0.2.77\n"
		       "ask " DARK " responder = 192.0.2.77\n"
		       "fetch 192.0.2.77 http-redirect x3\nweb redirect\n",
	"captive-portal", CERTAINTY_STRONG, "dns-intercepted",
	"dns-intercepted-policy", NULL},
    {"12 intercepted: what others have an address for does not exist",
	CERT "ask system responder = nx\nask " R1 " responder = nx\n" R1_CONTROL
	     "ask " DARK " control = 192.0.2.200\nask " DARK
	     " responder = nx\n" E1_RIGHT
	     "fetch 192.0.2.1 connect-timeout x3\n" WEB,
	"dns-intercepted-policy", CERTAINTY_STRONG, "net-blackhole",
	"name-gone", NULL},
    {"11 look-alike: a resolver where none should be, which refuses",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
		       "ask " DARK " control = servfail\n"
		       "ask " DARK " responder = servfail\n" E1_RIGHT
		       "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, NULL, "dns-intercepted", NULL},
    {"11 it answers not every time, and of the control the truth",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n"
		       "ask " DARK " control = 192.0.2.200\n"
		       "ask " DARK " responder = 192.0.2.1\n"
		       "ask " DARK " sibling = silent\n"
		       "ask " DARK " sibling = silent\n"
		       "ask " DARK " sibling = silent\n" E1_RIGHT "ask " E1
		       " control = 192.0.2.200\n"
		       "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, "dns-intercepted", "dns-injection",
	NULL},
    {"11 look-alike: the control's name is forged too, others are not",
	CERT SYS_WRONG FORGED_R1 "ask " DARK " control = 192.0.2.78\n"
				 "ask " DARK " responder = 192.0.2.77\n"
				 "ask " DARK " sibling = silent\n"
				 "ask " DARK " sibling = silent\n"
				 "ask " DARK
				 " sibling = silent\n" E1_RIGHT GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, "dns-intercepted-policy",
	"host"},
    {"13 NXDOMAIN forged",
	CERT "ask system responder = nx\nask " R1
	     " responder = nx noedns ttl201\n" R1_CONTROL DARK_SILENT_CONTROL
	     "ask " DARK " responder = nx\n" E1_RIGHT GOOD,
	"dns-injection", CERTAINTY_PROVEN, NULL, "name-gone", NULL},
    {"13 NXDOMAIN first, the genuine one later",
	CERT "ask system responder = nx\nask " R1
	     " responder = nx noedns / 192.0.2.1\n" R1_CONTROL GOOD,
	"dns-injection-race", CERTAINTY_PROVEN, NULL, "name-gone", NULL},
    {"14 NXDOMAIN by policy",
	CERT "ask system responder = nx\nask " R1
	     " responder = nx ede15\n" R1_CONTROL "ask " R1T
	     " responder = nx\n" E1_RIGHT GOOD,
	"dns-resolver-policy", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"15 the name is gone",
	CERT "ask system responder = nx\nask " R1 " responder = nx\n" R1_CONTROL
	     "ask " E1 " responder = nx\nask " E2 " responder = nx\nask " AUTH
	     " responder = nx\n",
	"name-gone", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"15 look-alike: one of the two over TLS is believed by any certificate",
	CERT "ask system responder = nx\nask " R1 " responder = nx\n" R1_CONTROL
	     "ask " E1 " responder = nx\nask " ANYBODY " responder = nx\n" WEB,
	"inconclusive", CERTAINTY_NOT_PROVEN, "name-gone", NULL, NULL},
    {"15 look-alike: only plain resolvers say so",
	CERT "ask system responder = nx\nask " R1
	     " responder = nx\n" R1_CONTROL WEB,
	"inconclusive", CERTAINTY_NOT_PROVEN, "name-gone", NULL, NULL},
    {"15 look-alike: who speaks for the authority has no authority",
	CERT "ask system responder = nx\nask " R1 " responder = nx\n" R1_CONTROL
	     "ask " AUTH " responder = nx noaa\n" WEB,
	"inconclusive", CERTAINTY_NOT_PROVEN, "name-gone", NULL, NULL},
    {"15 look-alike: the authority says so over UDP alone",
	CERT "ask system responder = 192.0.2.77\nask " AUTH
	     " responder = nx\nask " AUTHT " responder = 192.0.2.77\n" DEAD WEB,
	"net-blackhole", CERTAINTY_STRONG, NULL, "name-gone", NULL},
    {"2 the zone's own server steers elsewhere",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL GOOD
		       "ask " AUTH " chain edge.example = 192.0.2.2\n"
		       "fetch 192.0.2.2 ok\n",
	"ok-geo", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"2 look-alike: the zone's first server tells its part of the chain",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL GOOD
		       "ask " AUTH " responder = >edge.example\n",
	"ok", CERTAINTY_PROVEN, NULL, "dns-differs", NULL},
    {"6 forged for the authority too",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL
	"ask " R1T " responder = 192.0.2.1\n"
	"ask " AUTH " responder = 192.0.2.77 / 192.0.2.1\n" GOOD DEAD,
	"dns-injection", CERTAINTY_STRONG, "dns-injection-race", NULL, NULL},
    {"16 gone, and still injected",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL
	"ask " R1 " responder txt = 192.0.2.77 forged-type\n"
	"ask " E1 " responder = nx\nask " AUTH " responder = nx\n" DEAD,
	"name-gone", CERTAINTY_PROVEN, "dns-injection", NULL, NULL},
    {"17 SERVFAIL",
	CERT "ask system responder = servfail\nask " R1
	     " responder = servfail\nask " R1
	     " responder cd = servfail\n" R1_CONTROL "ask " R2
	     " responder = 192.0.2.1\n" GOOD,
	"dns-servfail", CERTAINTY_STRONG, NULL, "dns-bogus", NULL},
    {"18 SERVFAIL of a validator",
	CERT "ask system responder = servfail\nask " R1
	     " responder = servfail ede6\nask " R1
	     " responder cd = 192.0.2.77\n" R1_CONTROL E1_RIGHT GOOD,
	"dns-bogus", CERTAINTY_PROVEN, NULL, "dns-servfail", NULL},
    {"19 UDP is dropped",
	CERT "ask system responder = silent\nask " R1
	     " responder = silent\nask " R1 " control = silent\nask " R1T
	     " responder = 192.0.2.1\nask " R1T " control = 192.0.2.200\n" GOOD,
	"dns-udp-blocked", CERTAINTY_STRONG, NULL, "dns-resolver-down", NULL},
    {"20 a resolver is down",
	CERT SYS_RIGHT
	"ask " R1 " responder = silent\nask " R1 " control = silent\nask " R2
	" responder = 192.0.2.1\nask " R2 " control = 192.0.2.200\n" GOOD,
	"dns-resolver-down", CERTAINTY_PROVEN, NULL, "dns-udp-blocked", NULL},
    {"20 the only plain resolver is down, another answers over TLS",
	CERT "ask system responder = silent\nask " R1
	     " responder = silent\nask " R1 " control = silent\nask " R1T
	     " responder = timeout\nask " R1T " control = timeout\n" E1_RIGHT
	     "ask " E1 " control = 192.0.2.200\n" GOOD WEB,
	"dns-resolver-down", CERTAINTY_STRONG, NULL, "dns-udp-blocked", NULL},
    {"20+41 the second resolver is down, and so is the responder",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL "ask " R2
		       " responder = silent\nask " R2
		       " control = silent\n" E1_RIGHT
		       "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, "dns-resolver-down", NULL, NULL},
    {"17+41 the second resolver fails, and so does the responder",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL "ask " R2
		       " responder = servfail\n" E1_RIGHT
		       "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, "dns-servfail", NULL, NULL},
    {"20 ICMP port unreachable",
	CERT "ask system responder = silent\nask " R1
	     " responder = icmp\nask " R1 " control = icmp\n" E1_RIGHT "ask " E1
	     " control = silent\n" GOOD WEB,
	"dns-resolver-down", CERTAINTY_STRONG, NULL, NULL, NULL},
    {"21 only this name is dropped",
	CERT "ask system responder = silent\nask " R1
	     " responder = silent\n" R1_CONTROL "ask " R2
	     " responder = silent\nask " R2
	     " control = 192.0.2.200\n" E1_RIGHT GOOD,
	"dns-name-dropped", CERTAINTY_STRONG, NULL, "dns-resolver-down", NULL},
    {"22 TCP is reset for this name",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
		       "ask " R1T " responder = reset\nask " R1T
		       " control = 192.0.2.200\n" GOOD,
	"dns-tcp-reset", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"22 look-alike: TCP is reset for all names",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
		       "ask " R1T " responder = reset\nask " R1T
		       " control = reset\n" GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "dns-tcp-reset", NULL},
    {"23 DoT is cut by its name",
	CERT SYS_RIGHT GOOD "ask " E1 " responder = tlsfail\ntls " E1
			    " sni cut\ntls " E1 " other ok\n",
	"enc-dns-blocked-sni", CERTAINTY_PROVEN, NULL, "enc-dns-blocked-ip",
	NULL},
    {"23 the handshake by another name ends first",
	CERT SYS_RIGHT GOOD "ask " E1 " responder = tlsfail\ntls " E1
			    " other ok\ntls " E1 " sni cut\n",
	"enc-dns-blocked-sni", CERTAINTY_PROVEN, NULL, "enc-dns-blocked-ip",
	NULL},
    {"24 DoT is cut by its address",
	CERT SYS_RIGHT GOOD "ask " E1 " responder = timeout\ntls " E1
			    " sni dead\ntls " E1 " other dead\n",
	"enc-dns-blocked-ip", CERTAINTY_STRONG, NULL, "enc-dns-blocked-sni",
	NULL},
    {"25 another answers for DoT",
	CERT SYS_RIGHT GOOD "ask " E1 " responder = tlsfail\ntls " E1
			    " sni badcert\n",
	"enc-dns-mitm", CERTAINTY_PROVEN, NULL, "enc-dns-blocked-sni", NULL},
    {"26 a bogon by a policy",
	CERT "ask system responder = 0.0.0.0\nask " R1
	     " responder = 0.0.0.0\n" R1_CONTROL "ask " R1T
	     " responder = 0.0.0.0\n" E1_RIGHT GOOD
	     "fetch 0.0.0.0 connect-refused x3\n",
	"dns-resolver-policy", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"26 a policy for a whole zone: its names that do not exist have it too",
	CERT "ask system responder = 0.0.0.0\nask " R1
	     " responder = 0.0.0.0\n" R1_CONTROL "ask " R1
	     " sibling = 0.0.0.0\nask " E1 " sibling = nx\nask " R1T
	     " responder = 0.0.0.0\n" E1_RIGHT GOOD
	     "fetch 0.0.0.0 connect-refused x3\n",
	"dns-resolver-policy", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"27 split horizon, and it works",
	CERT "ask system responder = 10.0.0.5\nask " R1
	     " responder = 10.0.0.5\n" R1_CONTROL "fetch 10.0.0.5 ok\n",
	"ok-override", CERTAINTY_PROVEN, NULL, "dns-resolver-policy", NULL},
    {"27 look-alike: the internal one is broken",
	CERT "ask system responder = 10.0.0.5\nask " R1
	     " responder = 10.0.0.5\n" R1_CONTROL E1_RIGHT GOOD
	     "fetch 10.0.0.5 connect-timeout x3\n",
	"dns-resolver-policy", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"28 a fake-IP proxy",
	CERT "ask system responder = 198.18.0.7\nask " R1
	     " responder = 198.18.0.7\nask " R1 " control = 198.18.0.8\nask " R1
	     " random = 198.18.0.9\nfetch 198.18.0.7 ok\n",
	"local-fakeip", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"28 a fake-IP proxy, and nothing differs by itself",
	CERT "ask system responder = 198.18.0.7\nask " R1
	     " responder = 198.18.0.7\nask " R1
	     " random = 198.18.0.9\n" E1_RIGHT "fetch 198.18.0.7 ok\n" GOOD,
	"local-fakeip", CERTAINTY_PROVEN, NULL, "ok-geo", NULL},
    {"28 a fake-IP proxy that is broken",
	CERT "ask system responder = 198.18.0.7\nask " R1
	     " responder = 198.18.0.7\nask " R1
	     " random = 198.18.0.9\n" E1_RIGHT
	     "fetch 198.18.0.7 http-reset x3\n" GOOD,
	"local-fakeip", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"29 NXDOMAIN is rewritten",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R1
		       " control = 192.0.2.200\nask " R1
		       " random = 192.0.2.222\n" GOOD,
	"dns-nx-rewrite", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"29 look-alike: the control's own zone has a wildcard",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R1
		       " control = 192.0.2.200\nask " R1
		       " random = 192.0.2.222\n" E1_RIGHT "ask " E1
		       " random = 192.0.2.222\n" GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "dns-nx-rewrite", NULL},
    {"30 DNS64",
	CERT "ask system responder = 64:ff9b::c000:201\nask " R1
	     " responder AAAA = 64:ff9b::c000:201\n" R1_CONTROL
	     "fetch 64:ff9b::c000:201 ok\n",
	"ok-dns64", CERTAINTY_PROVEN, NULL, "dns-resolver-policy", NULL},
    {"30 DNS64 with a prefix of its own",
	CERT "ask system ipv4only AAAA = 2001:db8:64::c000:aa\n" SYS_RIGHT
	     "ask " R1 " responder = 192.0.2.1\nask " R1
	     " responder AAAA = 2001:db8:64::c000:201\n" R1_CONTROL GOOD
	     "fetch 2001:db8:64::c000:201 ok\n",
	"ok-dns64", CERTAINTY_PROVEN, NULL, "dns-differs", NULL},
    {"30 the same of unique local addresses: no mirror of this network",
	CERT "ask system ipv4only AAAA = fd00:64::c000:aa\n" SYS_RIGHT "ask " R1
	     " responder AAAA = fd00:64::c000:201\n" R1_CONTROL GOOD
	     "fetch fd00:64::c000:201 ok\n",
	"ok-dns64", CERTAINTY_PROVEN, NULL, "ok-override", NULL},
    {"30 one resolver tells the made one alone: they do not differ",
	CERT "ask system ipv4only AAAA = 2001:db8:64::c000:aa\n" SYS_RIGHT
	     "ask " R1 " responder AAAA = 2001:db8:64::c000:201\nask " R2
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD
	     "fetch 2001:db8:64::c000:201 unreachable\n",
	"ok", CERTAINTY_PROVEN, NULL, "dns-differs", NULL},
    {"30 the translator is dead: the resolver did not lie",
	CERT "ask system ipv4only AAAA = 2001:db8:64::c000:aa\n" SYS_RIGHT
	     "ask " R1 " responder AAAA = 2001:db8:64::c000:201\nask " R2
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD
	     "fetch 2001:db8:64::c000:201 connect-timeout x3\n",
	"ok", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"30 look-alike: it is made of another address",
	CERT "ask system ipv4only AAAA = 2001:db8:64::c000:aa\n" SYS_RIGHT
	     "ask " R1 " responder AAAA = 2001:db8:64::c000:24d\nask " R2
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD
	     "fetch 2001:db8:64::c000:24d connect-timeout x3\n",
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "ok-dns64", NULL},
    {"30 look-alike: made of another, and it works",
	CERT "ask system ipv4only AAAA = 2001:db8:64::c000:aa\n" SYS_RIGHT
	     "ask " R1 " responder AAAA = 2001:db8:64::c000:24d\nask " R2
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD
	     "fetch 2001:db8:64::c000:24d ok\n",
	"ok-geo", CERTAINTY_PROVEN, NULL, "ok-dns64", NULL},
    {"30 look-alike: ipv4only.arpa has an address that is none of it",
	CERT "ask system ipv4only AAAA = 2001:db8:64::c000:201\n" SYS_RIGHT
	     "ask " R1 " responder AAAA = 2001:db8:64::c000:201\nask " R2
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD
	     "fetch 2001:db8:64::c000:201 ok\n",
	"ok-geo", CERTAINTY_PROVEN, NULL, "ok-dns64", NULL},
    {"31 a stale pin",
	CERT "hosts " FACTS_HOST " 192.0.2.77\n" SYS_WRONG "ask " R1
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD DEAD,
	"local-pin-stale", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"31 look-alike: a pin that works",
	CERT "hosts " FACTS_HOST " 192.0.2.1\n" SYS_RIGHT "ask " R1
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "local-pin-stale", NULL},
    {"31 a pin to a mirror that has only an old response",
	CERT "hosts " FACTS_HOST " 192.0.2.77\n" SYS_WRONG "ask " R1
	     " responder = 192.0.2.1\n" R1_CONTROL GOOD
	     "fetch 192.0.2.77 expired x3\n",
	"local-pin-stale", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"31 a pin on a later name of the chain",
	CERT "hosts a771.cdn.example 192.0.2.77\n" SYS_WRONG "ask " R1
	     " responder = >a771.cdn.example 192.0.2.1\nask " R1
	     " chain a771.cdn.example = 192.0.2.1\n" R1_CONTROL GOOD DEAD,
	"local-pin-stale", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"32 a right pin that nginx never reads",
	CERT "hosts " FACTS_HOST " 192.0.2.1\n" SYS_RIGHT GOOD DEAD
	     "setting server-cfg-resolver-ignores-hosts 192.0.2.53\nask " R1
	     " responder = 192.0.2.77\npeer 192.0.2.77\n"
	     "served 1 none\nserved 2 none\n",
	"server-cfg-resolver-ignores-hosts", CERTAINTY_PROVEN, NULL,
	"local-pin-stale", NULL},
    {"32 nginx asks a resolver that lies, by IPv6",
	CERT SYS_RIGHT GOOD DEAD
	"setting server-cfg-resolver-wrong 2001:db8::53\n"
	"ask udp://[2001:db8::53] responder = 192.0.2.77\n"
	"served 1 none\nserved 2 none\n",
	"server-cfg-resolver-wrong", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"32 look-alike: that one is right, and takes no TCP",
	CERT SYS_RIGHT GOOD
	"setting server-cfg-resolver-wrong 192.0.2.53\nask " R1
	" responder = 192.0.2.1\nask " R1T " responder = refused\n"
	"served 1 none\nserved 2 none\n",
	"server-no-staple", CERTAINTY_PROVEN, NULL, "server-cfg-resolver-wrong",
	NULL},
    {"32 look-alike: whether its address is right is not known",
	CERT SYS_RIGHT GOOD
	"setting server-cfg-resolver-wrong 192.0.2.53\nask " R1
	" responder = 192.0.2.2\n"
	"served 1 none\nserved 2 none\n",
	"server-no-staple", CERTAINTY_PROVEN, NULL, "server-cfg-resolver-wrong",
	NULL},
    {"33 nginx keeps an old address",
	CERT SYS_RIGHT GOOD DEAD "peer 192.0.2.77\n"
				 "served 1 none\nserved 2 none\n",
	"server-cfg-frozen-addr", CERTAINTY_STRONG, NULL, NULL, NULL},
    {"34 the first handshake has none",
	CERT SYS_RIGHT GOOD "served 1 none\nserved 2 good\n", "server-lazy",
	CERTAINTY_PROVEN, NULL, "server-no-staple", NULL},
    {"34 look-alike: none has",
	CERT SYS_RIGHT GOOD "served 1 none\nserved 2 none\n",
	"server-no-staple", CERTAINTY_PROVEN, NULL, "server-lazy", NULL},
    {"34 look-alike: a staple that is gone again",
	CERT SYS_RIGHT GOOD "served 1 good\nserved 2 none\n",
	"server-some-workers", CERTAINTY_PROVEN, NULL, "server-lazy", NULL},
    {"34 look-alike: one of several workers has it",
	CERT SYS_RIGHT GOOD "served 1 none\nserved 2 good\nserved 3 none\n",
	"server-some-workers", CERTAINTY_PROVEN, NULL, "server-lazy", NULL},
    {"52 a resolver that is wrong now and then",
	CERT SYS_WRONG NOW_AND_THEN R1_CONTROL GOOD DEAD, "intermittent",
	CERTAINTY_PROVEN, NULL, "dns-resolver-wrong", NULL},
    {"52 the same, and the way works: worth knowing",
	CERT SYS_RIGHT NOW_AND_THEN R1_CONTROL GOOD DEAD, "intermittent",
	CERTAINTY_PROVEN, "ok", "dns-resolver-wrong", NULL},
    {"52 look-alike: it is forged now and then",
	CERT SYS_WRONG NOW_AND_THEN
	"ask " R1
	" responder txt = 192.0.2.77 forged-type\n" R1_CONTROL GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, NULL, "intermittent", NULL},
    {"52 two questions of five are lost",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R1
		       " responder = silent\nask " R1
		       " responder = 192.0.2.1\nask " R1
		       " responder = silent\nask " R1
		       " responder = 192.0.2.1\n" R1_CONTROL GOOD,
	"intermittent", CERTAINTY_PROVEN, "ok", "dns-name-dropped", NULL},
    {"52 look-alike: one is, as happens",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R1
		       " responder = silent\nask " R1
		       " responder = 192.0.2.1\n" R1_CONTROL GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "intermittent", NULL},
    {"52 look-alike: addresses that rotate and all work",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R1
		       " responder = 192.0.2.2\n" R1_CONTROL GOOD
		       "fetch 192.0.2.2 ok\n",
	"ok", CERTAINTY_PROVEN, NULL, "intermittent", NULL},
    {"3.1, C: rotating networks and no EDNS are two circumstances",
	CERT SYS_WRONG ROTATING(" noedns") R1_CONTROL GOOD ROTATING_DEAD,
	"dns-injection", CERTAINTY_STRONG, NULL, "dns-resolver-wrong", NULL},
    {"3.1, C: rotating networks alone are one",
	CERT SYS_WRONG ROTATING("") R1_CONTROL GOOD ROTATING_DEAD,
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"3.1, C: rotation within a network is none",
	CERT SYS_WRONG NEIGHBOURS R1_CONTROL GOOD
	"fetch 203.0.113.1 connect-refused x3\nfetch 203.0.113.2 "
	"connect-refused x3\nfetch 203.0.113.3 connect-refused x3\n",
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"the server cannot be reached: no file is to blame",
	"input no-url unreachable\n", "server-unreachable", CERTAINTY_PROVEN,
	NULL, "input-unreadable", NULL},
    {"look-alike: its certificate cannot be read", "input no-url unreadable\n",
	"input-unreadable", CERTAINTY_PROVEN, NULL, "server-unreachable", NULL},
    {"34 look-alike: of several at once some have it",
	CERT SYS_RIGHT GOOD "served 1 good\nserved 2 good\nserved 3 good\n"
			    "served 4 none\nserved 5 good\n",
	"server-some-workers", CERTAINTY_PROVEN, NULL, "ok", NULL},
    {"34 lazy, and slow about it: all at once have it",
	CERT SYS_RIGHT GOOD "served 1 none\nserved 2 none\nserved 3 good\n"
			    "served 4 good\n",
	"server-lazy", CERTAINTY_PROVEN, NULL, "server-some-workers", NULL},
    {"another certificate at the same address is no bad staple",
	CERT SYS_RIGHT GOOD "served 1 good\nserved 2 good\nserved 3 good\n"
			    "served 4 bad other\nserved 5 none other\n",
	"ok", CERTAINTY_PROVEN, NULL, "server-bad-staple", NULL},
    {"the default server, for the same certificate, has none",
	CERT SYS_RIGHT GOOD "served 1 good\nserved 2 good\nserved 3 good\n"
			    "served 4 none nameless\n",
	"server-cfg-default-server", CERTAINTY_PROVEN, "ok",
	"server-some-workers", NULL},
    {"the default server has another certificate",
	CERT SYS_RIGHT GOOD "served 1 good\nserved 2 good\nserved 3 good\n"
			    "served 4 none nameless other\n",
	"ok", CERTAINTY_PROVEN, NULL, "server-cfg-default-server", NULL},
    {"no staple by any name: the default server is not to blame",
	CERT SYS_RIGHT GOOD "served 1 none\nserved 2 none\nserved 3 none\n"
			    "served 4 none nameless\n",
	"server-no-staple", CERTAINTY_PROVEN, NULL, "server-cfg-default-server",
	NULL},
    {"own state: kept, and not served",
	CERT SYS_RIGHT GOOD "keep runs usable\nserved 1 none\nserved 2 none\n",
	"keep-unserved", CERTAINTY_PROVEN, NULL, "server-no-staple", NULL},
    {"own state: kept, not served, and nobody keeps it now",
	CERT SYS_RIGHT GOOD "keep gone usable\nserved 1 none\nserved 2 none\n",
	"keep-unserved", CERTAINTY_PROVEN, "keep-not-running",
	"server-no-staple", NULL},
    {"own state: nobody keeps it any more",
	CERT SYS_RIGHT GOOD "keep gone over\nserved 1 none\nserved 2 none\n",
	"keep-not-running", CERTAINTY_PROVEN, NULL, "server-no-staple", NULL},
    {"own state, look-alike: it has none itself",
	CERT SYS_RIGHT GOOD "keep runs over\nserved 1 none\nserved 2 none\n",
	"server-no-staple", CERTAINTY_PROVEN, NULL, "keep-unserved", NULL},
    {"own state, look-alike: kept and served",
	CERT SYS_RIGHT GOOD "keep runs usable\nserved 1 good\nserved 2 good\n",
	"ok", CERTAINTY_PROVEN, NULL, "keep-not-running", NULL},
    {"own state: served, and nobody will refresh it",
	CERT SYS_RIGHT GOOD "keep gone usable\nserved 1 good\nserved 2 good\n",
	"keep-not-running", CERTAINTY_PROVEN, "ok", "keep-unserved", NULL},
    {"34 look-alike: both have it",
	CERT SYS_RIGHT GOOD "served 1 good\nserved 2 good\n", "ok",
	CERTAINTY_PROVEN, NULL, "server-some-workers", NULL},
    {"35 right addresses in a black hole",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL E1_RIGHT
		       "fetch 192.0.2.1 connect-timeout x3\n"
		       "connect 192.0.2.1:80 timeout 3000\n" WEB,
	"net-blackhole", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"35 look-alike: who confirms it over TLS may be anybody",
	CERT SYS_RIGHT "ask " ANYBODY " responder = 192.0.2.1\n"
		       "fetch 192.0.2.1 connect-timeout x3\n" WEB,
	"inconclusive", CERTAINTY_NOT_PROVEN, NULL, "net-blackhole", NULL},
    {"35 nothing goes out by http, and much else does",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL E1_RIGHT
		       "ask " E1 " control = 192.0.2.200\n"
		       "fetch 192.0.2.1 connect-timeout x3\nweb timeout\n",
	"net-blackhole", CERTAINTY_STRONG, NULL, "local-no-network", NULL},
    {"35 the same, and the control tells the time by https",
	CERT SYS_RIGHT "book 192.0.2.1\n"
		       "fetch 192.0.2.1 connect-timeout x3\nweb timeout\n"
		       "clock 0 auth control.example\n",
	"net-blackhole", CERTAINTY_STRONG, NULL, "local-no-network", NULL},
    {"35 look-alike: nobody confirms the address",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
		       "fetch 192.0.2.1 connect-timeout x3\n" WEB,
	"inconclusive", CERTAINTY_NOT_PROVEN, NULL, "net-blackhole", NULL},
    {"36 RST on port 80, sooner than the host",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 connect-refused x3\n"
				"connect 192.0.2.1:443 refused 40\n"
				"connect 192.0.2.1:80 refused 3\n" WEB,
	"net-tcp-rst", CERTAINTY_STRONG, NULL, "responder-down", NULL},
    {"36 the same, in the order in which they end",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 connect-refused x3\n"
				"connect 192.0.2.1:80 refused 3\n"
				"connect 192.0.2.1:443 refused 40\n" WEB,
	"net-tcp-rst", CERTAINTY_STRONG, NULL, "responder-down", NULL},
    {"36 look-alike: the host refuses by itself",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 connect-refused x3\n"
				"connect 192.0.2.1:443 refused 40\n"
				"connect 192.0.2.1:80 refused 38\n" WEB,
	"responder-down", CERTAINTY_STRONG, NULL, "net-tcp-rst", NULL},
    {"36 whoever is asked by http refuses at once",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 connect-refused x3\n"
				"connect 192.0.2.1:443 refused 3\n"
				"connect 192.0.2.1:80 refused 3\nweb refused\n",
	"net-tcp-rst", CERTAINTY_STRONG, NULL, "responder-down", NULL},
    {"37 cut by the Host",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-reset x3\n"
				"otherhost 192.0.2.1 ok\n" WEB,
	"http-reset-keyword", CERTAINTY_PROVEN, NULL, "responder-down", NULL},
    {"37 look-alike: cut with every Host",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-reset x3\n"
				"otherhost 192.0.2.1 http-reset\n" WEB,
	"responder-down", CERTAINTY_STRONG, NULL, "http-reset-keyword", NULL},
    {"37 cut with every Host, but not in two segments",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-reset x3\n"
				"otherhost 192.0.2.1 http-reset\n"
				"split 192.0.2.1 ok\n" WEB,
	"http-reset-keyword", CERTAINTY_PROVEN, NULL, "responder-down", NULL},
    {"37 look-alike: cut in any number of segments",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-reset x3\n"
				"split 192.0.2.1 http-reset\n" WEB,
	"responder-down", CERTAINTY_STRONG, NULL, "http-reset-keyword", NULL},
    {"38 a captive portal",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1
		       " control = 192.0.2.77\n"
		       "fetch 192.0.2.77 http-redirect x3\nweb redirect\n",
	"captive-portal", CERTAINTY_STRONG, NULL, "dns-injection", NULL},
    {"38 a portal that does not know the time",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1
		       " control = 192.0.2.77\n"
		       "fetch 192.0.2.77 http-redirect x3\nweb redirect\n"
		       "clock 1700000000 plain control.example\n"
		       "clock 1700000000 plain 192.0.2.77\n"
		       "served 1 bad\nserved 2 bad\n",
	"captive-portal", CERTAINTY_STRONG, "server-bad-staple", NULL, NULL},
    {"39 a proxy on the way answers errors",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-status x3\n"
				"web altered\n",
	"http-proxy-error", CERTAINTY_STRONG, NULL, "responder-down", NULL},
    {"40 a forged address accepts and hangs",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL DARK_SILENT_CONTROL
	"ask " DARK " responder = 192.0.2.77\n" E1_RIGHT GOOD
	"fetch 192.0.2.77 http-timeout x3\n",
	"dns-injection", CERTAINTY_PROVEN, NULL, "responder-slow", NULL},
    {"41 the responder is down",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, NULL, "http-proxy-error", NULL},
    {"42 tryLater",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 status-try-later\n",
	"responder-status-3", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"42 unauthorized",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 status-unauthorized\n",
	"responder-status-6", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"42 internalError",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 status-internal-error\n",
	"responder-status-2", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"43 a slow responder", CERT SYS_RIGHT "fetch 192.0.2.1 ok ms3000\n",
	"responder-slow", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"44 a stale response, the clock is right",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 expired\nclock 0 auth\n",
	"resp-expired", CERTAINTY_PROVEN, NULL, "clock-skew", NULL},
    {"44 one edge has an old response, and it is the one we are sent to",
	CERT "ask system responder = 192.0.2.2\nask " R1
	     " responder = 192.0.2.2\n" R1_CONTROL E1_RIGHT GOOD
	     "fetch 192.0.2.2 expired x3\nclock 0 auth\n",
	"resp-expired", CERTAINTY_STRONG, NULL, "dns-resolver-wrong", NULL},
    {"45 by it the server's staple looks expired",
	CERT SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 864000 auth a.x\n"
	"clock 864010 auth b.x\nserved 1 bad\nserved 2 bad\n",
	"clock-skew", CERTAINTY_PROVEN, NULL, "server-bad-staple", NULL},
    {"45 by it the certificate looks expired",
	"input expired\n" SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 864000 auth a.x\n"
	"clock 864010 auth b.x\n",
	"clock-skew", CERTAINTY_PROVEN, NULL, "input-expired", NULL},
    {"45 look-alike: it is off, and not by so much",
	"input expired\n" SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 1000 auth a.x\n"
	"clock 1010 auth b.x\n",
	"input-expired", CERTAINTY_PROVEN, "clock-skew", NULL, NULL},
    {"45 the clock is wrong",
	CERT SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 864000 auth a.x\n"
	"clock 864010 auth b.x\n",
	"clock-skew", CERTAINTY_PROVEN, NULL, "resp-expired", NULL},
    {"45 one source says so, no other does",
	CERT SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 864000 auth a.x\n"
	"clock 864000 auth a.x\n",
	"clock-skew", CERTAINTY_CONSISTENT, NULL, "resp-expired", NULL},
    {"45 one source that cannot be forged, in company",
	CERT SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 864000 auth a.x\n"
	"clock 864000 plain b.x\n",
	"clock-skew", CERTAINTY_STRONG, NULL, "resp-expired", NULL},
    {"45 a signature from tomorrow, and a date",
	CERT SYS_RIGHT "fetch 192.0.2.1 not-yet-valid\n"
		       "clock -800000 signed ca.x\nclock -864000 auth b.x\n",
	"clock-skew", CERTAINTY_PROVEN, NULL, "resp-expired", NULL},
    {"45 a signature from tomorrow alone",
	CERT SYS_RIGHT "fetch 192.0.2.1 not-yet-valid\n"
		       "clock -800000 signed ca.x\n",
	"clock-skew", CERTAINTY_CONSISTENT, NULL, "resp-expired", NULL},
    {"45 look-alike: the signer's clock may be the wrong one",
	CERT SYS_RIGHT "fetch 192.0.2.1 not-yet-valid\n"
		       "clock -800000 signed ca.x\nclock 1 plain b.x\n",
	"resp-expired", CERTAINTY_STRONG, NULL, "clock-skew", NULL},
    {"45 look-alike: dates that cannot be forged contradict plain ones",
	CERT SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 expired\nclock 2 auth a.x\n"
	"clock 864000 plain b.x\nclock 864000 plain c.x\n",
	"resp-expired", CERTAINTY_PROVEN, NULL, "clock-skew", NULL},
    {"45 two that nobody vouches for agree",
	CERT SYS_RIGHT
	"fetch 192.0.2.1 not-yet-valid\nclock -864000 plain a.x\n"
	"clock -864010 plain b.x\n",
	"clock-skew", CERTAINTY_CONSISTENT, NULL, "resp-expired", NULL},
    {"45 look-alike: one that nobody vouches for",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 expired\nclock 864000 plain\n",
	"resp-expired", CERTAINTY_PROVEN, NULL, "clock-skew", NULL},
    {"46 signed by a stranger",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 bad-signature\n",
	"resp-untrusted", CERTAINTY_PROVEN, NULL, "input-issuer", NULL},
    {"47 the issuer is missing",
	"input issuer-missing\n" SYS_RIGHT "fetch 192.0.2.1 untrusted-signer\n",
	"input-issuer", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"47 the staple was not judged for that",
	"input issuer-missing\n" SYS_RIGHT
	"served 1 bad issuer-missing\nserved 2 bad issuer-missing\n",
	"input-issuer", CERTAINTY_PROVEN, NULL, "server-bad-staple", NULL},
    {"48 for another certificate",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 wrong-certificate\n",
	"resp-other-cert", CERTAINTY_PROVEN, NULL, "resp-untrusted", NULL},
    {"49 revoked", CERT SYS_RIGHT "fetch 192.0.2.1 revoked\n", "cert-revoked",
	CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"49 unknown", CERT SYS_RIGHT "fetch 192.0.2.1 unknown\n", "cert-revoked",
	CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"50 no OCSP URL", "input no-url\nserved 1 none\nserved 2 none\n",
	"input-no-ocsp", CERTAINTY_PROVEN, NULL, "server-no-staple", NULL},
    {"51 IPv6 is broken",
	CERT "ask system responder = 192.0.2.1,2001:db8::1\n" GOOD
	     "fetch 2001:db8::1 connect-timeout x3\n"
	     "control 2001:db8::200 timeout\ncontrol 192.0.2.200 ok\n",
	"net-v6-broken", CERTAINTY_STRONG, NULL, "net-blackhole", NULL},
    {"51 look-alike: one IPv6 address is dead",
	CERT "ask system responder = 192.0.2.1,2001:db8::1\n" GOOD
	     "fetch 2001:db8::1 connect-timeout x3\n"
	     "control 2001:db8::200 ok\n",
	"ok", CERTAINTY_PROVEN, NULL, "net-v6-broken", NULL},
    {"51 who names an IPv6 address alone is not wrong for that",
	CERT SYS_RIGHT
	"ask " R2 " responder AAAA = 2001:db8::1\n" GOOD
	"fetch 2001:db8::1 connect-timeout x3\n"
	"control 2001:db8::200 timeout\ncontrol 192.0.2.200 ok\n",
	"net-v6-broken", CERTAINTY_STRONG, NULL, "dns-resolver-wrong", NULL},
    {"51 look-alike: IPv6 works, and that address does not",
	CERT SYS_RIGHT "ask " R2 " responder AAAA = 2001:db8::1\n" GOOD
		       "fetch 2001:db8::1 connect-timeout x3\n"
		       "control 2001:db8::200 ok\ncontrol 192.0.2.200 ok\n",
	"dns-resolver-wrong", CERTAINTY_STRONG, NULL, "net-v6-broken", NULL},
    {"52+41 datagrams are lost, and the responder is down",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\nask " R1
		       " responder = silent\nask " R1
		       " responder = silent\n" R1_CONTROL E1_RIGHT
		       "fetch 192.0.2.1 http-status x3\n" WEB,
	"responder-down", CERTAINTY_STRONG, "intermittent", NULL, NULL},
    {"52 intermittent",
	CERT SYS_RIGHT "fetch 192.0.2.1 ok x3\n"
		       "fetch 192.0.2.1 connect-timeout x3\n",
	"intermittent", CERTAINTY_PROVEN, NULL, "net-blackhole", NULL},
    {"52 look-alike: one failure of many tries",
	CERT SYS_RIGHT "fetch 192.0.2.1 ok x2\n"
		       "fetch 192.0.2.1 connect-timeout\n",
	"ok", CERTAINTY_PROVEN, NULL, "intermittent", NULL},

    {"52 look-alike: a responder that knows only POST",
	CERT SYS_RIGHT "fetch 192.0.2.1 http-status x5\n"
		       "fetch 192.0.2.1 ok x5 post\n",
	"ok", CERTAINTY_PROVEN, NULL, "intermittent", NULL},

    /* the extra rows */
    {"only the proxy leads out",
	CERT SYS_RIGHT "fetch 192.0.2.1 connect-timeout x3\nweb timeout\n"
		       "fetch 192.0.2.1 ok proxy\n",
	"local-needs-proxy", CERTAINTY_PROVEN, NULL, "net-blackhole", NULL},
    {"only the proxy leads out: no resolver is wrong for that",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1 noedns ttl201\n"
		       "" R1_CONTROL E1_RIGHT
		       "fetch 192.0.2.1 connect-timeout x3\nweb timeout\n"
		       "fetch 192.0.2.1 ok proxy\n",
	"local-needs-proxy", CERTAINTY_PROVEN, NULL, "dns-resolver-wrong",
	NULL},
    {"only the proxy leads out: nothing is injected for that",
	CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1 noedns ttl201\n"
		       "" R1_CONTROL E1_RIGHT
		       "fetch 192.0.2.1 connect-timeout x3\nweb timeout\n"
		       "fetch 192.0.2.1 ok proxy\n",
	"local-needs-proxy", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"only the proxy leads out: that is a network",
	CERT SYS_RIGHT "fetch 192.0.2.1 connect-timeout x3\nweb timeout\n"
		       "fetch 192.0.2.1 ok proxy\n",
	"local-needs-proxy", CERTAINTY_PROVEN, NULL, "local-no-network", NULL},
    {"no network, and no address of any host to knock at",
	CERT "ask system responder = silent\nask " R1
	     " responder = silent\nask " R1 " control = silent\nask " E1
	     " responder = timeout\nask " E1 " control = timeout\n",
	"local-no-network", CERTAINTY_CONSISTENT, NULL, "dns-resolver-down",
	NULL},
    {"look-alike: only one resolver was asked",
	CERT "ask system responder = silent\nask " R1
	     " responder = silent\nask " R1 " control = silent\nask " R1T
	     " responder = timeout\nask " R1T " control = timeout\n",
	"inconclusive", CERTAINTY_NOT_PROVEN, NULL, "local-no-network", NULL},
    {"no network at all",
	CERT "ask system responder = silent\nask " R1
	     " responder = silent\nask " R1 " control = silent\nweb timeout\n",
	"local-no-network", CERTAINTY_STRONG, NULL, "dns-resolver-down", NULL},
    {"no network, addresses from the book",
	CERT "ask system responder = silent\nbook 192.0.2.1\n"
	     "fetch 192.0.2.1 unreachable x3\nweb timeout\n",
	"local-no-network", CERTAINTY_STRONG, NULL, "net-blackhole", NULL},
    {"no positive control, no second opinion",
	CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\n" DEAD,
	"inconclusive", CERTAINTY_NOT_PROVEN, NULL, "dns-injection", NULL},
    {"full-size packets are lost",
	CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 http-timeout x3\n"
				"otherhost 192.0.2.1 ok\n" WEB,
	"net-mtu", CERTAINTY_CONSISTENT, NULL, "responder-down", NULL},
    {"an answer from elsewhere is not believed",
	CERT SYS_RIGHT "ask " R1
		       " responder = 192.0.2.1 / 192.0.2.77 elsewhere\n" GOOD,
	"ok", CERTAINTY_PROVEN, NULL, "dns-injection", NULL},
    {"truncated, and TCP is closed",
	CERT "ask system responder = silent\nask " R1
	     " responder = tc\nask " R1T " responder = refused\n" E1_RIGHT GOOD,
	"dns-tcp-blocked", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"a malformed forgery beside the answer",
	CERT SYS_WRONG
	"ask " R1 " responder = 192.0.2.77 malformed / 192.0.2.1\n" GOOD DEAD,
	"dns-injection-race", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"a CNAME loop",
	CERT "ask system responder = silent\nask " R1
	     " responder = >a.example >b.example loop\n",
	"dns-loop", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"no address",
	CERT "ask system responder = silent\nask " R1 " responder = empty\n",
	"dns-empty", CERTAINTY_CONSISTENT, NULL, NULL, NULL},
    {"must-staple without an OCSP URL", "input no-url must-staple\n",
	"input-no-ocsp", CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"an expired certificate", "input expired\n", "input-expired",
	CERTAINTY_PROVEN, NULL, NULL, NULL},
    {"only an ldap URL", "input ldap\n", "input-no-http", CERTAINTY_PROVEN,
	NULL, NULL, NULL},
    {"a bad staple is served",
	CERT SYS_RIGHT GOOD "served 1 bad\nserved 2 bad\n", "server-bad-staple",
	CERTAINTY_PROVEN, NULL, "server-lazy", NULL},
    {"a stale file is served",
	CERT SYS_RIGHT GOOD "setting server-cfg-file-stale\n"
			    "served 1 bad\nserved 2 bad\n",
	"server-cfg-file-stale", CERTAINTY_PROVEN, "server-bad-staple", NULL,
	NULL},
    {"stapling is off",
	CERT SYS_RIGHT GOOD "setting server-cfg-stapling-off\n"
			    "served 1 none\nserved 2 none\n",
	"server-cfg-stapling-off", CERTAINTY_PROVEN, NULL, "server-no-staple",
	NULL},
    {"a harmless setting is no cause",
	CERT SYS_RIGHT GOOD "setting server-cfg-no-verify\n"
			    "served 1 none\nserved 2 none\n",
	"server-no-staple", CERTAINTY_PROVEN, "server-cfg-no-verify", NULL,
	NULL},

    /* two faults at once */
    {"7+23: injected, and DoT is cut by its name",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL
	"ask " R1 " responder txt = 192.0.2.77 forged-type\nask " E1
	" responder = tlsfail\ntls " E1 " sni cut\ntls " E1 " other ok\nask " E2
	" responder = 192.0.2.1\n" GOOD DEAD,
	"dns-injection", CERTAINTY_PROVEN, "enc-dns-blocked-sni", NULL, NULL},
    {"35+45: a black hole and a wrong clock",
	CERT SYS_RIGHT E1_RIGHT
	"fetch 192.0.2.1 connect-timeout x3\n" WEB
	"clock 864000 auth a.x\nclock 864000 auth b.x\n",
	"clock-skew", CERTAINTY_PROVEN, "net-blackhole", NULL, NULL},
    {"31+3: a stale pin on a poisoned network",
	CERT "hosts " FACTS_HOST " 192.0.2.77\n" SYS_WRONG "ask " R1
	     " responder = 192.0.2.78 noedns\n"
	     "ask " R1
	     " responder txt = 192.0.2.78 forged-type\n" R1_CONTROL E1_RIGHT
		 GOOD DEAD "fetch 192.0.2.78 connect-timeout x3\n",
	"local-pin-stale", CERTAINTY_PROVEN, "dns-injection", NULL, NULL},
    {"20+34: a resolver is down and nginx is lazy",
	CERT SYS_RIGHT
	"ask " R1 " responder = silent\nask " R1 " control = silent\nask " R2
	" responder = 192.0.2.1\nask " R2 " control = 192.0.2.200\n" GOOD
	"served 1 none\nserved 2 good\n",
	"server-lazy", CERTAINTY_PROVEN, "dns-resolver-down", NULL, NULL},
    {"3+33: injected, and nginx is without a staple",
	CERT SYS_WRONG FORGED_R1 R1_CONTROL DARK_SILENT_CONTROL
	"ask " DARK " responder = 192.0.2.77 noedns\n" E1_RIGHT GOOD DEAD
	"served 1 none\nserved 2 none\n",
	"dns-injection", CERTAINTY_PROVEN, "server-no-staple", NULL, NULL},
};

static void
print_findings(const struct row *row, const struct diagnosis *d)
{
	print_message("%s: wanted %s (%s)\n", row->name, row->primary,
	    certainty_name(row->certainty));
	for (size_t i = 0; i < d->count; i++)
		print_message("  %s (%s)%s [%s] %s\n",
		    finding_row(d->findings[i].code)->code,
		    certainty_name(d->findings[i].certainty),
		    d->findings[i].breaks ? " breaks" : "",
		    d->findings[i].scope, d->findings[i].sentence);
}

static bool
fits(const struct row *row, const struct diagnosis *d)
{
	const struct finding *first = &d->findings[0];

	return d->count > 0 &&
	       strcmp(finding_row(first->code)->code, row->primary) == 0 &&
	       first->certainty == row->certainty &&
	       (row->also == NULL || diagnosis_has(d, row->also)) &&
	       (row->never == NULL || !diagnosis_has(d, row->never)) &&
	       (row->scope == NULL || strcmp(first->scope, row->scope) == 0);
}

static void
test_scenarios(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		struct facts facts;

		facts_write(&facts, rows[i].facts);
		diagnose(&facts, d);
		if (!fits(&rows[i], d)) {
			print_findings(&rows[i], d);
			wrong++;
		}
		free(d);
		facts_done(&facts);
	}
	assert_int_equal(wrong, 0);
}

/* I6: the word is said with evidence of class I, or not at all. */
static void
test_injection_is_never_said_lightly(void **state)
{
	static const char *const networks[] = {
	    CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\n" GOOD DEAD,
	    CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77 noedns\n"
			   "ask " R1 " control = 192.0.2.200\n" GOOD DEAD,
	    CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77 ttl99\n"
			   "ask " R1 " control = 192.0.2.200\n" GOOD DEAD,
	    /* the pool is one circumstance, and proves nothing by itself */
	    CERT SYS_WRONG
	    "ask " R1 " responder = 192.0.2.77 pooled\n" R1_CONTROL GOOD DEAD,
	    CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77 noedns pooled\n"
			   "" R1_CONTROL DEAD,
	    /* one of its addresses in the pool is none */
	    CERT SYS_WRONG
	    "ask " R1 " responder = 192.0.2.77 pooled 192.0.2.78 noedns\n"
	    "" R1_CONTROL GOOD DEAD "fetch 192.0.2.78 connect-timeout x3\n",
	    /* two circumstances, and nothing proven on the other side */
	    CERT SYS_WRONG FORGED_R1 R1_CONTROL DEAD,
	    /* silence where no resolver is */
	    CERT SYS_WRONG
	    "ask " R1 " responder = 192.0.2.77\n" R1_CONTROL DARK_SILENT_CONTROL
	    "ask " DARK " responder = silent\n" GOOD DEAD,
	    /* a wildcard of the zone is no injection */
	    CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\n" R1_CONTROL
			   "ask " R1 " sibling = 192.0.2.77\nask " E1
			   " sibling = 192.0.2.77\n" GOOD DEAD,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		struct facts facts;

		facts_write(&facts, networks[i]);
		diagnose(&facts, d);
		if (diagnosis_has(d, "dns-injection") ||
		    diagnosis_has(d, "dns-injection-race"))
			fail_msg("network %zu: injection was said", i);
		free(d);
		facts_done(&facts);
	}
}

/* What is said of the other transports is what they said. */
static void
test_the_same_server(void **state)
{
	static const struct {
		const char *facts, *says;
	} networks[] = {
	    {CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1T
			    " responder = 192.0.2.77\n" GOOD DEAD,
		"; over TCP or TLS it says the same"},
	    {CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\nask " R1T
			    " responder = 192.0.2.1\n" GOOD DEAD,
		"; over TCP or TLS it does not say so"},
	    {CERT SYS_WRONG "ask " R1 " responder = 192.0.2.1\nask " R1T
			    " responder = 192.0.2.77\n" GOOD DEAD,
		"; it says so over TCP or TLS"},
	    {CERT SYS_WRONG "ask " R1 " responder = 192.0.2.77\n" GOOD DEAD,
		"; over TCP or TLS it was not asked"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		struct facts facts;

		facts_write(&facts, networks[i].facts);
		diagnose(&facts, d);
		if (strstr(d->findings[0].sentence, networks[i].says) == NULL)
			fail_msg("%s", d->findings[0].sentence);
		free(d);
		facts_done(&facts);
	}
}

/* Where several addresses fail, the one that is shown failed in that way. */
static void
test_the_address_shown(void **state)
{
	static const struct {
		const char *facts, *code, *address;
	} networks[] = {
	    {CERT SYS_RIGHT "ask " E1 " responder = 192.0.2.1,192.0.2.2\n"
			    "fetch 192.0.2.1 http-status x3\n"
			    "fetch 192.0.2.2 connect-timeout x3\n" WEB,
		"responder-down", "192.0.2.1"},
	    {CERT SYS_RIGHT "ask " E1 " responder = 192.0.2.2,192.0.2.1\n"
			    "fetch 192.0.2.2 connect-timeout x3\n"
			    "fetch 192.0.2.1 connect-refused x3\n" WEB,
		"responder-down", "192.0.2.1"},
	    {CERT SYS_RIGHT "ask " E1 " responder = 192.0.2.2,192.0.2.1\n"
			    "fetch 192.0.2.2 connect-timeout x3\n"
			    "fetch 192.0.2.1 http-reset x3\n"
			    "otherhost 192.0.2.1 ok\n" WEB,
		"http-reset-keyword", "192.0.2.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		struct facts facts;

		facts_write(&facts, networks[i].facts);
		diagnose(&facts, d);
		assert_string_equal(
		    finding_row(d->findings[0].code)->code, networks[i].code);
		assert_string_equal(
		    d->findings[0].address, networks[i].address);
		free(d);
		facts_done(&facts);
	}
}

/* A sentence says of others what they said. */
static void
test_what_others_said(void **state)
{
	static const struct {
		const char *facts, *code, *says;
		enum certainty certainty;
	} networks[] = {
	    {CERT SYS_RIGHT "ask " R1 " responder = 192.0.2.1\n" R1_CONTROL
			    "ask " R2 " responder = silent\nask " R2
			    " control = 192.0.2.200\n" GOOD,
		"dns-name-dropped", "other plain resolvers answer",
		CERTAINTY_STRONG},
	    {CERT "ask system responder = servfail\nask " R1
		  " responder = servfail\n" R1_CONTROL,
		"dns-servfail", "none that was asked can", CERTAINTY_STRONG},
	    /* nobody has told the time */
	    {CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 expired\n",
		"resp-expired", "or this machine's clock is ahead",
		CERTAINTY_PROVEN},
	    {CERT SYS_RIGHT E1_RIGHT "fetch 192.0.2.1 expired\nclock 0 auth\n",
		"resp-expired", "this machine's clock is right",
		CERTAINTY_PROVEN},
	    {CERT SYS_RIGHT E1_RIGHT
		"fetch 192.0.2.1 not-yet-valid\nclock 0 auth\n",
		"resp-expired", "begins in the future", CERTAINTY_PROVEN},
	    /* what is in the file may be fresh */
	    {CERT SYS_RIGHT "fetch 192.0.2.1 expired\n"
			    "clock 864000 auth a.x\nclock 864010 auth b.x\n"
			    "setting server-cfg-file-stale\n"
			    "served 1 bad\nserved 2 bad\n",
		"server-cfg-file-stale", "by this machine's clock",
		CERTAINTY_CONSISTENT},
	    /* its certificate may be right, and looks expired to us */
	    {CERT SYS_RIGHT "fetch 192.0.2.1 expired\n"
			    "clock 864000 auth a.x\nclock 864010 auth b.x\n"
			    "ask " E1 " responder = tlsfail\ntls " E1
			    " sni badcert\n",
		"enc-dns-mitm", "by this machine's clock",
		CERTAINTY_CONSISTENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		const struct finding *found = NULL;
		struct facts facts;

		facts_write(&facts, networks[i].facts);
		diagnose(&facts, d);
		for (size_t f = 0; f < d->count; f++) {
			if (strcmp(finding_row(d->findings[f].code)->code,
				networks[i].code) == 0)
				found = &d->findings[f];
		}
		assert_non_null(found);
		if (strstr(found->sentence, networks[i].says) == NULL)
			fail_msg("%s", found->sentence);
		assert_int_equal(found->certainty, networks[i].certainty);
		free(d);
		facts_done(&facts);
	}
}

/* `oclasp dns NAME` has no certificate: the name is what it was asked for. */
static void
test_without_certificate(void **state)
{
	struct diagnosis *d = mem_new(sizeof(*d));
	const struct finding *gone = NULL;
	struct facts facts;

	(void)state;
	facts_write(&facts, "ask " R1 " responder = nx\n");
	diagnose(&facts, d);
	for (size_t i = 0; i < d->count && gone == NULL; i++) {
		if (d->findings[i].code == FINDING_NAME_GONE)
			gone = &d->findings[i];
	}
	assert_non_null(gone);
	assert_non_null(strstr(gone->sentence, "that " FACTS_HOST " does not"));
	free(d);
	facts_done(&facts);
}

/* 4.3, step 5: a TTL that counts down is a cache's. */
static void
test_ttl(void **state)
{
	static const struct {
		int64_t first_s, last_s, passed_ms;
		const char *says; /* a piece of it; "" nothing */
	} rows_of_ttl[] = {
	    {300, 297, 3000, "counts down, so"},
	    {300, 299, 1600, "counts down, so"},
	    {300, 300, 3000, "does not count down"},
	    {300, 300, 1000, ""}, /* too soon to say */
	    {300, 290, 3000, ""}, /* faster than time */
	    {2, 20, 3000, ""},    /* renewed in between */
	    {-1, 20, 3000, ""},
	    {20, -1, 3000, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows_of_ttl) / sizeof(rows_of_ttl[0]);
	     i++) {
		const struct seen_repeats repeats = {
		    .last_ms = rows_of_ttl[i].passed_ms,
		    .first_ttl_s = rows_of_ttl[i].first_s,
		    .last_ttl_s = rows_of_ttl[i].last_s};
		const char *says = repeats_tell_cache(&repeats);

		if (rows_of_ttl[i].says[0] == '\0')
			assert_string_equal(says, "");
		else
			assert_non_null(strstr(says, rows_of_ttl[i].says));
	}
}

/* Every code of the catalogue has its words, and is found by its name. */
static void
test_catalogue(void **state)
{
	(void)state;
	for (int i = 0; i < FINDING_COUNT; i++) {
		const struct finding_row *row =
		    finding_row((enum finding_code)i);
		enum finding_code found;

		assert_non_null(row->code);
		assert_non_null(row->meaning);
		assert_non_null(row->reference);
		assert_true(finding_find(row->code, &found));
		assert_int_equal(found, i);
		if (!row->good && row->remedy[0] == NULL)
			fail_msg("%s has no remedy", row->code);
	}
}

/* Each finding names facts that are there. */
static void
test_evidence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		struct facts facts;

		facts_write(&facts, rows[i].facts);
		diagnose(&facts, d);
		for (size_t f = 0; f < d->count; f++) {
			const struct finding *finding = &d->findings[f];

			if (finding->evidence_count == 0 &&
			    finding->code != FINDING_INCONCLUSIVE)
				fail_msg("%s: %s has no evidence", rows[i].name,
				    finding_row(finding->code)->code);
			for (size_t e = 0; e < finding->evidence_count; e++)
				assert_true(finding->evidence[e] < facts.count);
		}
		free(d);
		facts_done(&facts);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scenarios),
	    cmocka_unit_test(test_injection_is_never_said_lightly),
	    cmocka_unit_test(test_the_same_server),
	    cmocka_unit_test(test_the_address_shown),
	    cmocka_unit_test(test_what_others_said),
	    cmocka_unit_test(test_without_certificate),
	    cmocka_unit_test(test_ttl),
	    cmocka_unit_test(test_catalogue),
	    cmocka_unit_test(test_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
