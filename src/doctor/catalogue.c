/* SPDX-License-Identifier: ISC */
/* doctor/catalogue.c -- each finding: its sentence, its remedy, its reference.
 *
 * This is where the doctor's words are, and nowhere else: `oclasp explain`,
 * the report and docs/FINDINGS.md are made from it.  "NT" is the number of the
 * scenario in the taxonomy of docs/SCENARIOS.md. */
#include "doctor/finding.h"

#include <strings.h>

/* --- remedies that more than one finding has --- */

#define FETCH_BY_DOT                                         \
	"oclasp fetch {certificate} --resolver {encrypted} " \
	" # or any other by TLS or HTTPS"
#define COURIER                                                          \
	"oclasp courier export {certificate} | ssh HOST oclasp courier " \
	"fetch | oclasp courier import  # HOST: any machine outside"
#define KEEP "oclasp keep --server nginx  # keeps and publishes the staple"
#define INSTALL "oclasp install nginx --apply"
#define LATER "oclasp keep --server nginx  # serves the last good one meanwhile"

static const struct finding_row rows[FINDING_COUNT] = {
    [FINDING_OK] = {"ok", LAYER_NONE, true,
	"the way that this machine takes by itself leads to a genuine response",
	{NULL}, "scenario 1"},
    [FINDING_OK_GEO] = {"ok-geo", LAYER_NONE, true,
	"resolvers name different addresses and all of them give a genuine "
	"response: that is how a CDN steers, not pollution",
	{NULL}, "scenario 2"},
    [FINDING_OK_OVERRIDE] = {"ok-override", LAYER_NONE, true,
	"the name leads to an address inside this network, which gives a "
	"genuine response: an internal mirror, or a split horizon",
	{NULL}, "scenario 27"},
    [FINDING_OK_DNS64] = {"ok-dns64", LAYER_NONE, true,
	"the IPv6 addresses are made from the IPv4 ones by DNS64 (RFC 6147) and "
	"give a genuine response",
	{NULL}, "scenario 30, RFC 6147, RFC 7050"},

    [FINDING_INPUT_NO_OCSP] = {"input-no-ocsp", LAYER_INPUT, true,
	"the certificate names no OCSP responder: there is nothing to staple, "
	"no client asks one for it, and a stall has another cause",
	{"oclasp check {server}  # look at connect and TLS times, and the chain",
	    "ssl_stapling off;  # in nginx: for this certificate it only warns"},
	"scenario 50, CA/B Forum BR 7.1.2.7.7"},
    [FINDING_INPUT_UNREADABLE] = {"input-unreadable", LAYER_INPUT, false,
	"the certificate could not be read", {"oclasp show {certificate}"},
	"RFC 5280"},
    [FINDING_INPUT_EXPIRED] = {"input-expired", LAYER_INPUT, false,
	"the certificate has expired: no response on it helps",
	{"certbot renew  # or what your ACME client calls it"},
	"RFC 9919, section 4"},
    [FINDING_INPUT_ISSUER] = {"input-issuer", LAYER_INPUT, false,
	"the issuer's certificate is missing or is another one: a genuine "
	"answer cannot be recognised (\"signer certificate not found\")",
	{"curl -o issuer.der {ca_issuers}  # the AIA caIssuers URL",
	    "oclasp fetch {certificate} -i issuer.der"},
	"scenario 47, RFC 5280, section 4.2.2.1"},
    [FINDING_INPUT_NO_HTTP] = {"input-no-http", LAYER_INPUT, false,
	"none of the certificate's OCSP URLs is an http one",
	{"oclasp fetch {certificate} --url http://RESPONDER/"},
	"RFC 6960, appendix A"},
    [FINDING_CLOCK_SKEW] = {"clock-skew", LAYER_CLOCK, false,
	"this machine's clock is wrong: genuine responses look expired, or not "
	"valid yet",
	{"timedatectl set-ntp true", "chronyc makestep  # or ntpdate"},
	"scenario 45, RFC 6960, section 3.2"},

    [FINDING_LOCAL_PIN_STALE] = {"local-pin-stale", LAYER_LOCAL, false,
	"a line of the hosts file names an address that gives no genuine "
	"response, while the addresses of DNS do",
	{"sed -i '{line}s/^/# /' {file}  # names {address} for {name}",
	    "oclasp hosts --apply  # pins proven addresses, where one is needed"},
	"scenario 31"},
    [FINDING_LOCAL_FAKEIP] = {"local-fakeip", LAYER_LOCAL, false,
	"a proxy on this network answers every name with a handle of "
	"198.18.0.0/15 or fc00::/18, and the way through it fails",
	{"add '{name}' to the proxy's fake-ip-filter"},
	"scenario 28, RFC 2544"},
    [FINDING_LOCAL_NEEDS_PROXY] = {"local-needs-proxy", LAYER_LOCAL, false,
	"the direct way out is closed, and the proxy leads to a genuine "
	"response",
	{"oclasp keep --proxy {proxy} --server nginx"},
	"scenarios, extra rows"},
    [FINDING_LOCAL_NO_NETWORK] = {"local-no-network", LAYER_LOCAL, false,
	"nothing outside this machine could be reached at all",
	{"ip route; ip -6 route  # is there a default route?"},
	"scenarios, extra rows"},

    [FINDING_DNS_INJECTION] = {"dns-injection", LAYER_DNS, false,
	"forged DNS answers are put on the path between this machine and the "
	"resolvers",
	{FETCH_BY_DOT, COURIER, KEEP}, "scenario 3, 6 to 10, 13, 40"},
    [FINDING_DNS_INJECTION_RACE] = {"dns-injection-race", LAYER_DNS, false,
	"forged DNS answers arrive beside the genuine ones, which come later",
	{KEEP "; it waits for the later answers", FETCH_BY_DOT}, "scenario 4"},
    [FINDING_DNS_RESOLVER_WRONG] = {"dns-resolver-wrong", LAYER_DNS, false,
	"one resolver gives wrong addresses by every transport; the path to it "
	"is not at fault, its cache or what it asks is",
	{"oclasp fetch {certificate} --resolver {other}  # names a right address",
	    "set another resolver in /etc/resolv.conf than {resolver}"},
	"scenario 5"},
    [FINDING_DNS_RESOLVER_POLICY] = {"dns-resolver-policy", LAYER_DNS, false,
	"a resolver refuses or rewrites this name by a policy of its own (block "
	"list, RPZ, parental filter)",
	{"allow '{name}' at {resolver}  # Pi-hole, AdGuard Home, RPZ: a "
	 "whitelist entry",
	    "oclasp fetch {certificate} --resolver {other}"},
	"scenario 14, 26, RFC 8914 (EDE 15 to 17)"},
    [FINDING_DNS_RESOLVER_DOWN] = {"dns-resolver-down", LAYER_DNS, false,
	"a resolver does not answer at all, others do",
	{"set another resolver in /etc/resolv.conf than {resolver}"},
	"scenario 20"},
    [FINDING_DNS_INTERCEPTED] = {"dns-intercepted", LAYER_DNS, true,
	"something on the path answers every DNS question, whoever is asked; its "
	"answers for this name are right",
	{NULL}, "scenario 11"},
    [FINDING_DNS_INTERCEPTED_POLICY] = {"dns-intercepted-policy", LAYER_DNS,
	false,
	"something on the path answers every DNS question, whoever is asked, and "
	"rewrites this name",
	{FETCH_BY_DOT, "ask who runs this network why '{name}' is rewritten"},
	"scenario 12"},
    [FINDING_DNS_NX_REWRITE] = {"dns-nx-rewrite", LAYER_DNS, true,
	"a resolver answers names that do not exist with an address; names that "
	"exist are right",
	{NULL}, "scenario 29"},
    [FINDING_DNS_SERVFAIL] = {"dns-servfail", LAYER_DNS, false,
	"a resolver fails to look this name up (SERVFAIL), another one can",
	{"oclasp fetch {certificate} --resolver {other}"},
	"scenario 17, RFC 1035, section 4.1.1"},
    [FINDING_DNS_BOGUS] = {"dns-bogus", LAYER_DNS, false,
	"a validating resolver refuses what it is given for this name (DNSSEC "
	"bogus): with checking disabled it has an answer",
	{"forward the resolver's questions over TLS (forward-tls-upstream)",
	    FETCH_BY_DOT},
	"scenario 18, RFC 4035, section 5.5"},
    [FINDING_DNS_UDP_BLOCKED] = {"dns-udp-blocked", LAYER_DNS, false,
	"no DNS over UDP comes through, for any name; over TCP it does",
	{"oclasp fetch {certificate} --resolver tcp://{resolver_ip}",
	    "options use-vc  # in /etc/resolv.conf, for this machine's libc"},
	"scenario 19, RFC 7766"},
    [FINDING_DNS_NAME_DROPPED] = {"dns-name-dropped", LAYER_DNS, false,
	"questions for this name get no answer from any plain resolver; "
	"questions for other names do",
	{FETCH_BY_DOT, COURIER}, "scenario 21"},
    [FINDING_DNS_TCP_RESET] = {"dns-tcp-reset", LAYER_DNS, false,
	"questions for this name over TCP are cut by a reset; for other names "
	"they are not: something on the path reads them",
	{FETCH_BY_DOT, COURIER}, "scenario 22"},
    [FINDING_DNS_TCP_BLOCKED] = {"dns-tcp-blocked", LAYER_DNS, false,
	"the answer is too large for UDP (TC=1), and TCP to the resolver does "
	"not come through",
	{"allow TCP port 53 to {resolver}", FETCH_BY_DOT}, "RFC 7766"},
    [FINDING_DNS_DIFFERS] = {"dns-differs", LAYER_DNS, true,
	"answers differ; none is proven wrong", {NULL}, "scenario 2"},
    [FINDING_DNS_LOOP] = {"dns-loop", LAYER_DNS, false,
	"the CNAME chain of this name runs in a ring or is endless",
	{"oclasp fetch {certificate} --resolver {other}"}, "RFC 1034, 3.6.2"},
    [FINDING_DNS_EMPTY] = {"dns-empty", LAYER_DNS, false,
	"resolvers know the name and have no address for it", {FETCH_BY_DOT},
	"RFC 2308, section 2.2"},
    [FINDING_NAME_GONE] = {"name-gone", LAYER_DNS, false,
	"the responder's name does not exist any more: the CA has retired it",
	{"certbot renew --force-renewal  # a certificate of today's CA",
	    "set ssl_stapling off; for the old one"},
	"scenario 15, 16"},
    [FINDING_ENC_DNS_BLOCKED_SNI] = {"enc-dns-blocked-sni", LAYER_DNS, false,
	"TLS to the encrypted resolver is cut when its name is in the "
	"handshake, and not with another name",
	{"oclasp fetch {certificate} --resolver tls://{literal}  # by address, "
	 "without a name"},
	"scenario 23"},
    [FINDING_ENC_DNS_BLOCKED_IP] = {"enc-dns-blocked-ip", LAYER_DNS, false,
	"the address of the encrypted resolver cannot be reached, whatever name "
	"is in the handshake",
	{"oclasp fetch {certificate} --resolver {encrypted}"}, "scenario 24"},
    [FINDING_ENC_DNS_MITM] = {"enc-dns-mitm", LAYER_DNS, false,
	"somebody else answers for the encrypted resolver, with a certificate "
	"that is not its own; nothing it says was believed",
	{"openssl s_client -connect {endpoint} -servername {name}  # who?"},
	"scenario 25, RFC 8310"},

    [FINDING_NET_BLACKHOLE] = {"net-blackhole", LAYER_TCP, false,
	"DNS is right, and the responder's addresses do not answer from here",
	{"oclasp keep --proxy URL --server nginx", COURIER}, "scenario 35"},
    [FINDING_NET_TCP_RST] = {"net-tcp-rst", LAYER_TCP, false,
	"DNS is right, and connections to the responder's addresses are reset "
	"or refused at once",
	{"oclasp keep --proxy URL --server nginx", COURIER}, "scenario 36"},
    [FINDING_NET_V6_BROKEN] = {"net-v6-broken", LAYER_TCP, false,
	"IPv6 does not work from here, IPv4 does: who tries IPv6 first waits",
	{"resolver ADDRESS ipv6=off;  # in nginx",
	    "oclasp keep --ipv4 --server nginx"},
	"scenario 51, RFC 8305"},
    [FINDING_NET_MTU] = {"net-mtu", LAYER_TCP, false,
	"small exchanges with the responder work and larger ones stall: packets "
	"of full size are lost on the way",
	{"ping -M do -s 1472 {address}  # find the size that passes",
	    "ip route change default via GATEWAY mtu 1400"},
	"scenarios, extra rows, RFC 4821"},
    [FINDING_HTTP_RESET_KEYWORD] = {"http-reset-keyword", LAYER_HTTP, false,
	"the connection is cut when the request names this responder, and not "
	"with another Host",
	{COURIER, "oclasp keep --proxy URL --server nginx"}, "scenario 37"},
    [FINDING_HTTP_PROXY_ERROR] = {"http-proxy-error", LAYER_HTTP, false,
	"a proxy on the path answers instead of the responder, with an error",
	{"let {name} pass the transparent proxy",
	    "oclasp keep --proxy URL --server nginx"},
	"scenario 39"},
    [FINDING_CAPTIVE_PORTAL] = {"captive-portal", LAYER_HTTP, false,
	"every web address leads to a login page here",
	{"log in at the portal"}, "scenario 38, RFC 8910"},

    [FINDING_RESPONDER_DOWN] = {"responder-down", LAYER_OCSP, false,
	"the responder itself fails: its addresses are not in doubt, and give "
	"errors or refuse",
	{LATER}, "scenario 41"},
    [FINDING_RESPONDER_STATUS_1] = {"responder-status-1", LAYER_OCSP, false,
	"the responder says malformedRequest to a request that is right",
	{"oclasp fetch {certificate} --url URL  # is it the right responder?"},
	"scenario 42, RFC 6960, section 4.2.1"},
    [FINDING_RESPONDER_STATUS_2] = {"responder-status-2", LAYER_OCSP, false,
	"the responder says internalError", {LATER}, "scenario 42"},
    [FINDING_RESPONDER_STATUS_3] = {"responder-status-3", LAYER_OCSP, false,
	"the responder says tryLater", {LATER}, "scenario 42"},
    [FINDING_RESPONDER_STATUS_5] = {"responder-status-5", LAYER_OCSP, false,
	"the responder wants signed requests (sigRequired), which no server "
	"that staples makes",
	{"ask the CA for a responder for unsigned requests"}, "scenario 42"},
    [FINDING_RESPONDER_STATUS_6] = {"responder-status-6", LAYER_OCSP, false,
	"the responder says unauthorized: it does not know the certificate, or "
	"not yet (a CA has 15 minutes after the issue)",
	{"oclasp ready {certificate} --timeout 900  # waits for it"},
	"scenario 42, CA/B Forum BR 4.9.10"},
    [FINDING_RESPONDER_SLOW] = {"responder-slow", LAYER_OCSP, false,
	"the responder takes as long as clients wait: a staple hides that",
	{KEEP}, "scenario 43"},
    [FINDING_RESP_EXPIRED] = {"resp-expired", LAYER_OCSP, false,
	"the response is genuine and past its nextUpdate, and this machine's "
	"clock is right: the responder or a cache before it is stale",
	{LATER}, "scenario 44, RFC 9919, section 5"},
    [FINDING_RESP_UNTRUSTED] = {"resp-untrusted", LAYER_OCSP, false,
	"the answer is not signed by the certificate's CA or a delegate of it",
	{"oclasp verify {certificate} RESPONSE  # the exact reason"},
	"scenario 46, RFC 6960, section 4.2.2.2"},
    [FINDING_RESP_OTHER_CERT] = {"resp-other-cert", LAYER_OCSP, false,
	"the response is genuine and for another certificate", {LATER},
	"scenario 48, RFC 6960, section 3.2 (1)"},
    [FINDING_CERT_REVOKED] = {"cert-revoked", LAYER_OCSP, false,
	"the CA says, signed, that the certificate is not good",
	{"certbot renew --force-renewal  # replace it now"}, "scenario 49"},
    [FINDING_INTERMITTENT] = {"intermittent", LAYER_TCP, false,
	"the same way sometimes works and sometimes does not", {KEEP},
	"scenario 52"},

    [FINDING_SERVER_UNREACHABLE] = {"server-unreachable", LAYER_INPUT, false,
	"the server that was to be examined could not be reached, or shook no "
	"hands: neither its certificate nor its staple is known",
	{"oclasp check {server}  # are host, port, --starttls and --servername "
	 "right?",
	    "oclasp doctor CERTIFICATE.pem  # without the server: can a staple "
	    "be had?"},
	"RFC 8446"},
    [FINDING_SERVER_LAZY] = {"server-lazy", LAYER_SERVER, false,
	"the first handshake carries no staple and a later one does: the server "
	"fetches lazily, each worker for itself, after every reload",
	{INSTALL, KEEP}, "scenario 34"},
    [FINDING_SERVER_SOME_WORKERS] = {"server-some-workers", LAYER_SERVER, false,
	"a handshake carries a staple and a later one does not: each worker of "
	"the server has its own, or several servers answer at this address",
	{INSTALL, KEEP}, "scenario 34, nginx: ssl_stapling"},
    [FINDING_SERVER_NO_STAPLE] = {"server-no-staple", LAYER_SERVER, false,
	"a genuine response can be had, and the server staples none",
	{INSTALL, KEEP}, "RFC 6066, section 8"},
    [FINDING_SERVER_BAD_STAPLE] = {"server-bad-staple", LAYER_SERVER, false,
	"the server staples something that clients refuse, which is worse than "
	"nothing",
	{INSTALL, KEEP}, "RFC 6066, section 8"},
    [FINDING_KEEP_UNSERVED] = {"keep-unserved", LAYER_SERVER, false,
	"`oclasp keep` has a good staple of this certificate, and the server does "
	"not serve it",
	{INSTALL,
	    "systemctl restart oclasp  # then it publishes and proves anew"},
	"oclasp-keep(1)"},
    [FINDING_KEEP_NOT_RUNNING] = {"keep-not-running", LAYER_SERVER, false,
	"`oclasp keep` has kept this certificate and does not run: nobody "
	"refreshes its staple",
	{"systemctl enable --now oclasp",
	    "oclasp status  # what it knew at last"},
	"oclasp-keep(1)"},
    [FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS] =
	{"server-cfg-resolver-ignores-hosts", LAYER_LOCAL, false,
	    "the hosts file names an address for the responder, and nginx never "
	    "reads it, since it has a `resolver` of its own",
	    {INSTALL "  # nginx then asks nobody",
		"sed -i '{line}s/resolver/# resolver/' {file}  # then it reads "
		"the hosts file, at each reload"},
	    "scenario 32"},
    [FINDING_SERVER_CFG_RESOLVER_WRONG] = {"server-cfg-resolver-wrong",
	LAYER_LOCAL, false,
	"nginx asks a `resolver` of its own, which names a wrong address, while "
	"this machine's own way is right",
	{INSTALL "  # nginx then asks nobody",
	    "resolver 127.0.0.53;  # or another one, at {file}:{line}"},
	"scenario 32"},
    [FINDING_SERVER_CFG_FROZEN_ADDR] = {"server-cfg-frozen-addr", LAYER_LOCAL,
	false,
	"nginx without `resolver` looks the responder up at a reload only, and "
	"keeps that address as long as it runs",
	{INSTALL "  # nginx then asks nobody",
	    "nginx -s reload  # helps until the next change"},
	"scenario 33, nginx trac 1305"},
    [FINDING_SERVER_CFG_STAPLING_OFF] = {"server-cfg-stapling-off",
	LAYER_SERVER, false,
	"stapling is not switched on for a certificate with an OCSP URL",
	{INSTALL, KEEP}, "nginx: ssl_stapling"},
    [FINDING_SERVER_CFG_NO_OCSP_URL] = {"server-cfg-no-ocsp-url", LAYER_SERVER,
	false,
	"stapling is on for a certificate without an OCSP URL: it only makes a "
	"warning",
	{"sed -i '{line}s/ssl_stapling on/ssl_stapling off/' {file}"},
	"scenario 50"},
    [FINDING_SERVER_CFG_TRUSTED_MISSING] = {"server-cfg-trusted-missing",
	LAYER_SERVER, false,
	"the issuer is neither in ssl_certificate nor in "
	"ssl_trusted_certificate, so that nginx ignores ssl_stapling",
	{"oclasp show {certificate}  # its caIssuers URL has the issuer",
	    "ssl_certificate FULLCHAIN.pem;  # at {file}:{line}", INSTALL},
	"nginx: ssl_stapling"},
    [FINDING_SERVER_CFG_TRUSTED_INCOMPLETE] = {"server-cfg-trusted-incomplete",
	LAYER_SERVER, false,
	"ssl_trusted_certificate does not lead to a root, so that nginx refuses "
	"what a delegate of the CA has signed",
	{"ssl_trusted_certificate ISSUERS-AND-ROOT.pem;  # at {file}:{line}",
	    INSTALL "  # nginx then verifies nothing itself"},
	"nginx: ssl_trusted_certificate, RFC 6960, section 4.2.2.2"},
    [FINDING_SERVER_CFG_NO_VERIFY] = {"server-cfg-no-verify", LAYER_SERVER,
	false,
	"nginx staples what it fetches unverified (ssl_stapling_verify is off)",
	{INSTALL, "ssl_stapling_verify on;  # at {file}:{line}"},
	"nginx: ssl_stapling_verify"},
    [FINDING_SERVER_CFG_FILE_STALE] = {"server-cfg-file-stale", LAYER_SERVER,
	false,
	"the response in ssl_stapling_file is past its time, and nginx serves "
	"it for ever",
	{INSTALL, KEEP}, "RFC 6960, section 3.2 (6)"},
    [FINDING_SERVER_CFG_FILE_OTHER_CERT] = {"server-cfg-file-other-cert",
	LAYER_SERVER, false,
	"the file of ssl_stapling_file is for another certificate", {INSTALL},
	"RFC 6960, section 3.2 (1)"},
    [FINDING_SERVER_CFG_FILE_BAD] = {"server-cfg-file-bad", LAYER_SERVER, false,
	"what is in ssl_stapling_file is no staple that clients take, and nginx "
	"serves it unread",
	{INSTALL, KEEP}, "RFC 6960, section 3.2"},
    [FINDING_SERVER_CFG_TWO_CERTS_ONE_FILE] = {"server-cfg-two-certs-one-file",
	LAYER_SERVER, false,
	"one ssl_stapling_file serves several certificates, such as RSA and "
	"ECDSA: clients of one of them get the other's staple",
	{"sed -i '{line}s/ssl_stapling_file/# ssl_stapling_file/' {file}  # or "
	 "one server block for each certificate"},
	"nginx: ssl_stapling_file"},
    [FINDING_SERVER_CFG_DEFAULT_SERVER] = {"server-cfg-default-server",
	LAYER_SERVER, false,
	"the default server block of an address staples nothing while others "
	"there do: who asks by no name, or by one that none of them has, gets "
	"no staple",
	{INSTALL, "ssl_stapling on;  # also at {file}:{line}"},
	"RFC 6066, section 3"},
    [FINDING_SERVER_CFG_CHAIN_INCOMPLETE] = {"server-cfg-chain-incomplete",
	LAYER_SERVER, false,
	"the server sends its certificate without the intermediate: some "
	"clients fetch it, which looks like a slow handshake, others refuse, and "
	"nginx finds no signer of what the CA itself has signed",
	{"ssl_certificate FULLCHAIN.pem;  # at {file}:{line}"},
	"RFC 8446, section 4.4.2"},
    [FINDING_SERVER_CFG_RESPONDER_UNUSABLE] = {"server-cfg-responder-unusable",
	LAYER_SERVER, false,
	"nginx asks responders by http:// only and ignores ssl_stapling for any "
	"other URL",
	{"oclasp install nginx --apply  # nginx then asks nobody",
	    "ssl_stapling_responder http://HOST/;  # at {file}:{line}"},
	"nginx: ssl_stapling_responder"},
    [FINDING_SERVER_FETCH_FAILS] = {"server-fetch-fails", LAYER_SERVER, false,
	"nginx's error log says that its own fetches of a staple fail",
	{"oclasp doctor {certificate}  # why", INSTALL, KEEP},
	"nginx: error_log"},

    [FINDING_INCONCLUSIVE] = {"inconclusive", LAYER_NONE, false,
	"what could be tested from here does not carry any verdict",
	{"oclasp doctor {target} --resolver URL --blackhole ADDRESS  # gives it "
	 "more to go by"},
	"scenarios, extra rows"},
};

const struct finding_row *
finding_row(enum finding_code code)
{
	return &rows[code];
}

bool
finding_find(const char *name, enum finding_code *out)
{
	for (int i = 0; i < FINDING_COUNT; i++) {
		if (strcasecmp(name, rows[i].code) != 0)
			continue;
		*out = (enum finding_code)i;
		return true;
	}
	return false;
}

const char *
finding_layer_name(enum finding_layer layer)
{
	static const char *const names[] = {
	    [LAYER_NONE] = "none",
	    [LAYER_INPUT] = "input",
	    [LAYER_CLOCK] = "clock",
	    [LAYER_LOCAL] = "local",
	    [LAYER_DNS] = "dns",
	    [LAYER_TCP] = "tcp",
	    [LAYER_HTTP] = "http",
	    [LAYER_OCSP] = "ocsp",
	    [LAYER_SERVER] = "server",
	};

	return names[layer];
}

const char *
certainty_name(enum certainty certainty)
{
	static const char *const names[] = {
	    [CERTAINTY_PROVEN] = "proven",
	    [CERTAINTY_STRONG] = "strongly-indicated",
	    [CERTAINTY_CONSISTENT] = "consistent",
	    [CERTAINTY_NOT_PROVEN] = "not-proven",
	};

	return names[certainty];
}
