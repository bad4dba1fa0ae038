/* SPDX-License-Identifier: ISC */
/* face/state.c -- the state folder, for commands beside `keep`. */
#include "face/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "acquire/address_book.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "face/command.h"
#include "keep/keeper.h"
#include "keep/store.h"

/* PATH, absolute, without what says nothing: "//", "/." and a slash behind.  What
 * ".." says depends on links. */
static char *
spell(char *take_path)
{
	char *to = take_path;

	for (const char *from = take_path; *from != '\0';) {
		const char *name = from + strspn(from, "/");
		size_t len = strcspn(name, "/");

		from = name + len;
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		*to++ = '/';
		memmove(to, name, len);
		to += len;
	}
	if (to == take_path)
		*to++ = '/';
	*to = '\0';
	return take_path;
}

char *
state_dir(const struct options *options)
{
	char *usual = keeper_default_dir();
	const char *meant =
	    options->state_dir != NULL ? options->state_dir : usual;
	char *dir = spell(file_absolute(meant));

	free(usual);
	return dir;
}

bool
state_may_have_store(const char *dir)
{
	char *path = mem_printf("%s/oclasp.db", dir);
	bool may =
	    access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);

	free(path);
	return may;
}

/* True if a store may be begun: the folder was named, and is our own.  What
 * root leaves in another user's folder, that user's keeper could not open. */
static bool
may_begin(const struct options *options)
{
	struct stat st;

	return options->state_dir != NULL &&
	       file_make_dir(options->state_dir, 0755, NULL) == 0 &&
	       stat(options->state_dir, &st) == 0 && st.st_uid == geteuid();
}

struct store *
state_open_book(const struct options *options, struct address_book **book)
{
	char *dir = state_dir(options);
	char *path = mem_printf("%s/oclasp.db", dir);
	struct store *store = NULL;

	*book = NULL;
	if (access(path, F_OK) == 0 || may_begin(options))
		store = store_visit(path, STORE_MAKE, NULL);
	if (store != NULL) {
		*book = address_book_new();
		(void)store_load_book(store, *book, clock_wall_s(), NULL);
	}
	free(path);
	free(dir);
	return store;
}

void
state_close_book(struct store *store, struct address_book *book)
{
	if (store != NULL && book != NULL)
		(void)store_save_book(store, book, clock_wall_s(), NULL);
	address_book_free(book);
	store_close(store);
}

/* --- what is kept --- */

static int
add_kept(struct kept_list *list, const struct options *o, const char *path,
    const char *issuer, const char *url, struct err *err)
{
	const struct identity_files files = {
	    .certificate = path,
	    .issuer = issuer,
	    .ca_file = o->ca_file,
	};
	struct kept kept = {0};

	if (identity_load(&files, &kept.id, err) == -1 &&
	    (kept.id.leaf == NULL || acquire_can_ask(kept.id.leaf) ||
		url != NULL)) {
		identity_done(&kept.id);
		return -1;
	}
	/* Without a responder nobody needs the issuer, and nobody is asked. */
	if (kept.id.issuer == NULL)
		err_clear(err);
	kept.path = mem_string(path);
	kept.url = mem_string(url);
	list->items =
	    mem_resize(list->items, list->count + 1, sizeof(list->items[0]));
	list->items[list->count++] = kept;
	return 0;
}

/* Returns how many could not be used. */
static size_t
add_stored(struct kept_list *list, const struct options *o, const char *command,
    struct store *store)
{
	struct store_target *targets = NULL;
	struct err err = {0};
	size_t count = 0, left_out = 0;

	if (store_get_targets(store, &targets, &count, &err) == -1)
		(void)command_fail(command, &err, EXIT_USAGE);
	for (size_t i = 0; i < count; i++) {
		err_clear(&err);
		if (add_kept(list, o, targets[i].certificate, targets[i].issuer,
			targets[i].url, &err) == -1) {
			(void)command_fail(command, &err, EXIT_USAGE);
			left_out++;
		}
	}
	store_targets_free(targets, count);
	return left_out;
}

int
state_load_kept(const struct options *o, const char *command, int first,
    struct store *store, struct kept_list *out, struct err *err)
{
	struct kept_list list = {0};
	struct err why = {0};
	size_t left_out = 0;

	for (int i = first; i < o->arg_count; i++) {
		if (add_kept(&list, o, o->args[i], o->issuer, NULL, err) ==
		    -1) {
			state_kept_done(&list);
			return -1;
		}
	}
	if (o->arg_count <= first && store != NULL)
		left_out = add_stored(&list, o, command, store);
	for (size_t i = 0;
	     list.count == 0 && o->arg_count <= first && i < o->spec_count;
	     i++) {
		err_clear(&why);
		if (add_kept(&list, o, o->specs[i].certificate,
			o->specs[i].issuer, o->specs[i].url, &why) == -1)
			(void)command_fail(command, &why, EXIT_USAGE);
	}
	if (list.count == 0 && left_out > 0)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "none of the certificates that are kept can be used");
	if (list.count == 0)
		return err_set(err, REASON_USAGE,
		    "no certificate is kept in this state folder: give "
		    "certificates, --state-dir, or run `oclasp keep` first");
	*out = list;
	return 0;
}

void
state_kept_done(struct kept_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].url);
		identity_done(&list->items[i].id);
	}
	free(list->items);
	*list = (struct kept_list){0};
}

size_t
state_urls(const struct kept *kept, const char *out[CERT_URLS_MAX])
{
	const struct cert *leaf = kept->id.leaf;

	if (kept->url != NULL) {
		out[0] = kept->url;
		return 1;
	}
	for (size_t i = 0; i < leaf->ocsp_url_count; i++)
		out[i] = leaf->ocsp_urls[i];
	return leaf->ocsp_url_count;
}

struct verify_policy
state_policy(const struct options *options)
{
	struct verify_policy policy = verify_policy_default(clock_wall_s());

	policy.allow_no_next_update = options->allow_no_next_update;
	policy.allow_sha1 = options->allow_sha1;
	return policy;
}

int
state_check_ca_file(const struct options *o, struct err *err)
{
	struct cert_list list = {0};
	int rc = 0;

	if (o->ca_file != NULL)
		rc = cert_list_load(&list, o->ca_file, err);
	cert_list_done(&list);
	return rc;
}
