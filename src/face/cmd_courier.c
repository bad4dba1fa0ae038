/* SPDX-License-Identifier: ISC */
/* face/cmd_courier.c -- oclasp courier: requests out, answers in, by anybody. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "face/command.h"
#include "face/courier.h"
#include "face/report.h"
#include "face/state.h"
#include "keep/store.h"
#include "pki/request.h"

/* --- bundles in and out --- */

int
courier_read(bool answers, struct courier_bundle *out, struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc;

	if (isatty(STDIN_FILENO))
		(void)fprintf(stderr, "oclasp courier: the bundle is read from "
				      "standard input ...\n");
	if (file_read("-", COURIER_BUNDLE_MAX, &bytes, &len, err) == -1)
		return -1;
	if (len == 0)
		rc = err_set(err, REASON_USAGE,
		    "standard input is empty: the bundle comes there, by <FILE "
		    "or through a pipe; if it was a pipe, what stands before "
		    "it has failed and says why");
	else
		rc = courier_parse((const char *)bytes, len, out, err);
	free(bytes);
	if (rc == 0 && out->answers != answers) {
		courier_done(out);
		rc = err_set(err, REASON_USAGE,
		    answers ? "this bundle holds requests: `oclasp courier "
			      "fetch` makes answers of it"
			    : "this bundle holds answers already: take it home "
			      "to `oclasp courier import`");
	}
	return rc;
}

static void
print_summary(const struct courier_bundle *bundle, const char *path)
{
	json_t *document = report_document("courier");
	size_t answered = 0;

	for (size_t i = 0; i < bundle->count; i++)
		answered += bundle->items[i].response != NULL;
	(void)json_object_update_new(
	    document, json_pack("{s:s, s:o, s:I, s:o}", "kind",
			  bundle->answers ? "answers" : "requests", "file",
			  report_json_text(path), "items",
			  (json_int_t)bundle->count, "answered",
			  bundle->answers ? json_integer((json_int_t)answered)
					  : json_null()));
	report_print(document);
}

int
courier_print(const struct options *o, const struct courier_bundle *bundle,
    struct err *err)
{
	char *text = courier_write(bundle);
	size_t len = strlen(text);
	int rc = 0;

	if (o->output != NULL && strcmp(o->output, "-") != 0) {
		rc = file_replace(o->output, text, len, 0644, err);
		if (rc == 0 && o->json)
			print_summary(bundle, o->output);
	} else if (fwrite(text, 1, len, stdout) != len ||
		   putchar('\n') == EOF || fflush(stdout) != 0) {
		rc = err_set(err, REASON_FILE, "cannot write standard output");
	}
	free(text);
	return rc;
}

/* --- export --- */

static bool
has_request(const struct courier_bundle *bundle, const uint8_t *der, size_t len)
{
	for (size_t i = 0; i < bundle->count; i++) {
		if (bundle->items[i].request_len == len &&
		    memcmp(bundle->items[i].request, der, len) == 0)
			return true;
	}
	return false;
}

__attribute__((format(printf, 3, 4))) static void
leave_out(
    const struct options *o, const struct kept *kept, const char *why, ...)
{
	char *path;
	va_list ap;

	if (o->quiet)
		return;
	path = text_printable(kept->path);
	(void)fprintf(stderr, "oclasp courier: '%s' is left out: ", path);
	free(path);
	va_start(ap, why);
	(void)vfprintf(stderr, why, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

static int
export_one(const struct options *o, const struct kept *kept,
    struct courier_bundle *bundle, struct err *err)
{
	const struct cert *leaf = kept->id.leaf;
	const char *urls[CERT_URLS_MAX];
	size_t count = state_urls(kept, urls);
	struct courier_item *item;
	char nobody[ACQUIRE_NOBODY_TEXT];
	uint8_t *der = NULL;
	size_t len = 0;

	if (kept->url == NULL && !acquire_can_ask(leaf)) {
		leave_out(o, kept, "it %s", acquire_nobody(leaf, nobody));
		return 0;
	}
	if (leaf->not_after < clock_wall_s()) {
		leave_out(o, kept, "it has expired");
		return 0;
	}
	if (request_make(leaf, kept->id.issuer, &der, &len, err) == -1)
		return -1;
	if (has_request(bundle, der, len)) {
		free(der);
		return 0;
	}
	item = courier_add(bundle, der, len);
	free(der);
	if (item == NULL)
		return err_set(err, REASON_USAGE,
		    "more than %d certificates do not fit into one bundle: "
		    "name some of them",
		    COURIER_ITEMS_MAX);
	for (size_t u = 0; u < count; u++)
		courier_add_url(item, urls[u]);
	if (item->url_count == 0) {
		leave_out(o, kept,
		    "its responder's URL is longer than the %d octets that a "
		    "bundle takes",
		    COURIER_URL_MAX);
		free(item->request);
		bundle->count--;
	}
	return 0;
}

/* The store, if there is one and it is to say what is kept; none is begun.
 * Where it cannot be read, the configuration may do. */
static int
open_store(const struct options *o, struct store **store, struct err *err)
{
	char *dir = state_dir(o);
	char *path = mem_printf("%s/oclasp.db", dir);
	bool wanted = o->arg_count < 2 && state_may_have_store(dir);
	bool needed = wanted && o->spec_count == 0;

	if (wanted)
		*store = store_visit(path, 0, needed ? err : NULL);
	free(path);
	free(dir);
	return needed && *store == NULL ? -1 : 0;
}

static int
export_all(const struct options *o, struct err *err)
{
	struct courier_bundle bundle = {0};
	struct store *store = NULL;
	struct kept_list kept = {0};
	int status = EXIT_USAGE;

	if (open_store(o, &store, err) == -1)
		goto out;
	if (state_load_kept(o, "courier", 1, store, &kept, err) == -1) {
		status = command_exit(err->reason);
		goto out;
	}
	for (size_t i = 0; i < kept.count; i++) {
		if (export_one(o, &kept.items[i], &bundle, err) == -1)
			goto out;
	}
	if (bundle.count == 0) {
		(void)err_set(err, REASON_NO_OCSP_URL,
		    "no certificate is left to ask for");
		status = EXIT_BAD;
		goto out;
	}
	if (courier_print(o, &bundle, err) == 0)
		status = EXIT_GOOD;
out:
	courier_done(&bundle);
	state_kept_done(&kept);
	store_close(store);
	return status;
}

/* --- the command --- */

static int
run(const struct options *o)
{
	const char *what = o->arg_count > 0 ? o->args[0] : "";
	struct err err = {0};
	int status = EXIT_USAGE;

	if (strcmp(what, "export") == 0)
		status = export_all(o, &err);
	else if (strcmp(what, "fetch") == 0)
		status = courier_fetch(o, &err);
	else if (strcmp(what, "import") == 0)
		status = courier_import(o, &err);
	else
		(void)err_set(&err, REASON_USAGE,
		    "say export, fetch or import: see `oclasp help courier`");
	if (err.reason != REASON_NONE)
		return command_fail("courier", &err, status);
	return status;
}

const struct command command_courier = {
    .name = "courier",
    .bit = CMD_COURIER,
    .synopsis = "export [CERT...] | fetch | import [CERT...]",
    .purpose = "requests out, answers in, by any untrusted carrier",
    .details =
	"  oclasp courier export | ssh HOST oclasp courier fetch |\n"
	"      oclasp courier import\n"
	"export writes the requests for the kept certificates (or CERT), as a\n"
	"CA sees them; fetch asks the responders from where it runs; import\n"
	"takes what verifies against the certificates at home, into the store\n"
	"or to the `oclasp keep` that runs. Exit status: 0 good; of fetch 75\n"
	"some answer is missing; of import 1 some answer was refused (the\n"
	"others are kept), 75 some are missing; 2 usage, or no bundle.",
    .run = run,
};
