/* SPDX-License-Identifier: ISC */
/* servers/discover_acme.c -- where ACME clients keep certificates. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "servers/discover_part.h"

/* True if PATH is there, or cannot be seen, which shall be said. */
static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* PATH if it is there; nothing to speak of if not. */
static void
add_if_there(struct discover *d, const char *path, const char *issuer)
{
	if (is_there(path))
		discover_path(d, path,
		    issuer != NULL && is_there(issuer) ? issuer : NULL);
	else
		discover_failed(d, path);
}

/* A file that a client's configuration names; absolute, or of no use. */
static void
add_named(struct discover *d, const char *conf, const char *named)
{
	char *path;

	if (named == NULL || named[0] != '/')
		return;
	path = discover_rooted(d, named);
	if (is_there(path))
		discover_path(d, path, NULL);
	else
		discover_note(d, path,
		    "'%s' names the certificate '%s', which is not there", conf,
		    path);
	free(path);
}

/* --- certbot: live/NAME/fullchain.pem, renewal/NAME.conf --- */

static void
certbot_live(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	char *file = mem_printf("%s/fullchain.pem", path);

	(void)cookie;
	/* beside the folders there is a README */
	if (strcmp(name, "README") != 0)
		add_if_there(d, file, NULL);
	free(file);
}

static void
certbot_renewal(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	char *text = NULL, *named = NULL;

	(void)cookie;
	if (discover_ends(name, ".conf"))
		text = discover_read(d, path);
	if (text != NULL)
		named = discover_setting(text, "fullchain");
	add_named(d, path, named);
	free(named);
	free(text);
}

static void
certbot_dir(struct discover *d, const char *dir)
{
	char *live = mem_printf("%s/live", dir);
	char *renewal = mem_printf("%s/renewal", dir);

	discover_entries(d, live, certbot_live, NULL);
	discover_entries(d, renewal, certbot_renewal, NULL);
	free(live);
	free(renewal);
}

void
discover_certbot(struct discover *d)
{
	static const char *const usual[] = {
	    "/etc/letsencrypt", "/usr/local/etc/letsencrypt", NULL};

	discover_dirs(d, NULL, usual, certbot_dir);
}

/* --- acme.sh: NAME/fullchain.cer and NAME_ecc/, NAME/NAME.conf --- */

/* What was copied to where a server reads it is named in NAME.conf, and goes
 * before the client's own copy. */
static void
acme_sh_conf(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	static const char *const keys[] = {
	    "Le_RealFullChainPath", "Le_RealCertPath"};
	char *text = NULL, *named = NULL;

	(void)cookie;
	if (discover_ends(name, ".conf") && !discover_ends(name, ".csr.conf"))
		text = discover_read(d, path);
	for (size_t i = 0; text != NULL && i < 2; i++) {
		named = discover_setting(text, keys[i]);
		if (named != NULL && named[0] == '/') {
			add_named(d, path, named);
			break;
		}
		free(named);
		named = NULL;
	}
	free(named);
	free(text);
}

static void
acme_sh_domain(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	char *chain = mem_printf("%s/fullchain.cer", path);

	(void)cookie;
	(void)name;
	if (is_there(chain)) {
		discover_entries(d, path, acme_sh_conf, NULL);
		discover_path(d, chain, NULL);
	} else {
		discover_failed(d, chain);
	}
	free(chain);
}

static void
acme_sh_dir(struct discover *d, const char *dir)
{
	discover_entries(d, dir, acme_sh_domain, NULL);
}

void
discover_acme_sh(struct discover *d)
{
	static const char *const usual[] = {
	    "/etc/acme.sh", "/acme.sh", "/opt/acme.sh", NULL};

	discover_dirs(d, ".acme.sh", usual, acme_sh_dir);
}

/* --- lego: certificates/NAME.crt, with NAME.issuer.crt --- */

static void
lego_certificate(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	char *stem, *issuer;

	(void)cookie;
	if (!discover_ends(name, ".crt") || discover_ends(name, ".issuer.crt"))
		return;
	stem = mem_printf("%.*s", (int)(strlen(path) - strlen(".crt")), path);
	issuer = mem_printf("%s.issuer.crt", stem);
	add_if_there(d, path, issuer);
	free(issuer);
	free(stem);
}

static void
lego_dir(struct discover *d, const char *dir)
{
	char *certificates = mem_printf("%s/certificates", dir);

	discover_entries(d, certificates, lego_certificate, NULL);
	free(certificates);
}

void
discover_lego(struct discover *d)
{
	static const char *const usual[] = {"/etc/lego", "/var/lib/lego",
	    "/etc/letsencrypt/lego", "/.lego", NULL};

	discover_dirs(d, ".lego", usual, lego_dir);
}

/* --- dehydrated: CERTDIR/NAME/fullchain.pem, where its config says --- */

/* What its configuration says, of which dehydrated runs all as a shell script:
 * the last word on a variable counts. */
struct dehydrated {
	char *base, *certs, *more; /* BASEDIR, CERTDIR, CONFIG_D, or NULL */
};

static void
take_setting(char **out, const char *text, const char *key)
{
	char *value = discover_setting(text, key);

	if (value == NULL)
		return;
	free(*out);
	*out = value;
}

static void
dehydrated_config(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	struct dehydrated *said = cookie;
	char *text = NULL;

	if (strcmp(name, "config") == 0 || discover_ends(name, ".sh"))
		text = discover_read(d, path);
	if (text == NULL)
		return;
	take_setting(&said->base, text, "BASEDIR");
	take_setting(&said->certs, text, "CERTDIR");
	take_setting(&said->more, text, "CONFIG_D");
	free(text);
}

static void
dehydrated_domain(
    struct discover *d, const char *path, const char *name, void *cookie)
{
	char *file = mem_printf("%s/fullchain.pem", path);

	(void)name;
	(void)cookie;
	add_if_there(d, file, NULL);
	free(file);
}

/* The folder that SAID names as VALUE, BASE being its BASEDIR; NULL if only a
 * shell knows it. */
static char *
dehydrated_folder(const struct discover *d, const char *value, const char *base)
{
	char *plain = discover_expand(value, "BASEDIR", base);
	char *folder = NULL;

	/* BASE is a folder of this machine already */
	if (plain != NULL && value[0] == '$')
		folder = mem_string(plain);
	else if (plain != NULL && value[0] == '/')
		folder = discover_rooted(d, plain);
	free(plain);
	return folder;
}

static void
dehydrated_dir(struct discover *d, const char *dir)
{
	char *config = mem_printf("%s/config", dir);
	struct dehydrated said = {0};
	char *base, *certs = NULL, *more = NULL;

	dehydrated_config(d, config, "config", &said);
	if (said.more != NULL)
		more = dehydrated_folder(d, said.more, dir);
	if (more != NULL)
		discover_entries(d, more, dehydrated_config, &said);
	base = said.base == NULL ? mem_string(dir)
				 : dehydrated_folder(d, said.base, dir);
	if (base != NULL)
		certs = dehydrated_folder(d,
		    said.certs == NULL ? "$BASEDIR/certs" : said.certs, base);
	if (certs != NULL)
		discover_entries(d, certs, dehydrated_domain, NULL);
	else
		discover_note(d, config,
		    "'%s' says where the certificates are in a way that only "
		    "a shell can read: name a folder that has them in certs/",
		    config);
	free(certs);
	free(base);
	free(more);
	free(said.base);
	free(said.certs);
	free(said.more);
	free(config);
}

void
discover_dehydrated(struct discover *d)
{
	static const char *const usual[] = {"/etc/dehydrated",
	    "/usr/local/etc/dehydrated", "/opt/dehydrated",
	    "/var/lib/dehydrated", NULL};

	discover_dirs(d, NULL, usual, dehydrated_dir);
}
