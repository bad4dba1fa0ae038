/* SPDX-License-Identifier: ISC */
/* servers/nginx_plan.c -- what `oclasp install nginx` would change.
 *
 * Where the include line goes: behind the ssl_certificate that it belongs to.
 * But that line may stand in a file that several server blocks include, or in
 * http {} for all of them, and nginx refuses a block in which ssl_stapling is
 * given twice.  So it goes there only if every block that has the line needs
 * the same include and has none; else it goes to the end of the one block.
 *
 * Files that only lose lines come first: where an apply is cut short between
 * two files, no ssl_stapling is given twice then either (I7). */
#include "servers/nginx.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "servers/diff.h"
#include "servers/grow.h"
#include "servers/nginx_insert.h"
#include "servers/nginx_snippet.h"

enum { DIFF_MAX = 256 << 20 }; /* bytes of all diffs */

/* The insertions into one file of the configuration. */
struct work {
	struct nginx_inserts inserts;
	bool includes; /* one of them is an include */
};

struct planner {
	const struct nginx *nginx;
	const struct nginx_conf *conf;
	struct nginx_plan *plan;
	struct work *work; /* one for each file of conf */
};

/* True if the plan takes care of SITE: then its certificate is the one that
 * the snippet is for. */
static bool
is_handled(const struct planner *planner, const struct nginx_site *site)
{
	const char *certificate = nginx_site_certificate(site);

	return certificate != NULL &&
	       (!site->stream ||
		   nginx_site_includes(planner->nginx, site, certificate));
}

static bool
needs_include(const struct planner *planner, const struct nginx_site *site)
{
	return is_handled(planner, site) &&
	       !nginx_site_includes(
		   planner->nginx, site, nginx_site_certificate(site));
}

static bool
holds(const struct nginx_directive *const *list, size_t count,
    const struct nginx_directive *directive)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == directive)
			return true;
	}
	return false;
}

/* Add TAKE_NOTE unless it has been said. */
static void
add_note(struct planner *planner, char *take_note)
{
	struct nginx_plan *plan = planner->plan;

	for (size_t i = 0; i < plan->note_count; i++) {
		if (strcmp(plan->notes[i], take_note) == 0) {
			free(take_note);
			return;
		}
	}
	plan->notes = grow(plan->notes, plan->note_count, sizeof(*plan->notes));
	plan->notes[plan->note_count++] = take_note;
}

/* Why a site is left alone. */
static void
note_left_alone(struct planner *planner, const struct nginx_site *site)
{
	const struct nginx_directive *server = site->server;

	if (site->certificate_count + (site->unusable != NULL) > 1)
		add_note(planner,
		    mem_printf("%s:%d: the server block has several "
			       "certificates and nginx takes one staple file "
			       "for all of them, so it is left alone",
			server->file, server->line));
	else if (site->unusable != NULL)
		add_note(planner,
		    mem_printf("%s:%d: the certificate '%s' is no file that "
			       "could be watched, so the server block is left "
			       "alone",
			site->unusable->file, site->unusable->line,
			site->unusable->args[0]));
	else
		add_note(planner,
		    mem_printf("%s:%d: a server of stream {} can staple only "
			       "since nginx 1.27.2, so it is left alone; with "
			       "such an nginx, include the snippet by hand",
			server->file, server->line));
}

static struct work *
work_for(struct planner *planner, const struct nginx_file *file)
{
	return &planner->work[file - planner->conf->files];
}

/* True if all sites that have DIRECTIVE need the include. */
static bool
is_shared_well(
    const struct planner *planner, const struct nginx_directive *directive)
{
	for (size_t i = 0; i < planner->conf->site_count; i++) {
		const struct nginx_site *site = &planner->conf->sites[i];

		if (holds(site->lines, site->line_count, directive) &&
		    (site->inherited || !needs_include(planner, site)))
			return false;
	}
	return true;
}

static void
plan_include(struct planner *planner, const struct nginx_site *site)
{
	const struct nginx_directive *line = site->first_certificate;
	bool behind = !site->inherited && is_shared_well(planner, line);
	const struct nginx_file *file =
	    nginx_conf_file(planner->conf, behind ? line : site->server);
	struct work *work = work_for(planner, file);
	char *snippet =
	    nginx_snippet_path(planner->nginx, nginx_site_certificate(site));
	char *word = nginx_snippet_quote(snippet);
	char *words = mem_printf("include %s;", word);

	work->includes = true;
	if (behind)
		nginx_insert_behind(&work->inserts, file, line, words);
	else
		nginx_insert_last(&work->inserts, file, site->server, words);
	free(words);
	free(word);
	free(snippet);
}

/* A line that goes away for SITE may be that of others as well. */
static void
note_losers(struct planner *planner, const struct nginx_directive *directive)
{
	for (size_t i = 0; i < planner->conf->site_count; i++) {
		const struct nginx_site *site = &planner->conf->sites[i];

		if (holds(site->stapling, site->stapling_count, directive) &&
		    !is_handled(planner, site))
			add_note(planner,
			    mem_printf("%s:%d: '%s' is commented out for other "
				       "server blocks; the one at %s:%d, which "
				       "is left alone, had it from there too",
				directive->file, directive->line,
				directive->name, site->server->file,
				site->server->line));
	}
}

/* True if PATH is in our snippet folder. */
static bool
is_ours(const struct planner *planner, const char *path)
{
	size_t len = strlen(planner->nginx->snippet_dir);

	return strncmp(path, planner->nginx->snippet_dir, len) == 0 &&
	       path[len] == '/';
}

/* The site's own stapling lines go; those of our snippets are not its own. */
static void
plan_comments(struct planner *planner, const struct nginx_site *site)
{
	for (size_t i = 0; i < site->stapling_count; i++) {
		const struct nginx_directive *line = site->stapling[i];
		const struct nginx_file *file;

		if (is_ours(planner, line->file))
			continue;
		file = nginx_conf_file(planner->conf, line);
		nginx_insert_comment(
		    &work_for(planner, file)->inserts, file, line);
		note_losers(planner, line);
	}
}

/* True if LINE includes a snippet of ours that is not for SITE. */
static bool
is_misplaced(const struct planner *planner, const struct nginx_site *site,
    const struct nginx_directive *line)
{
	const char *certificate = nginx_site_certificate(site);
	char *snippet;
	bool own;

	if (!is_ours(planner, line->args[0]))
		return false;
	if (certificate == NULL)
		return true;
	snippet = nginx_snippet_path(planner->nginx, certificate);
	own = strcmp(line->args[0], snippet) == 0;
	free(snippet);
	return !own;
}

/* The path of a certificate was changed since we put our line in, or a second
 * certificate came: then that line would give the wrong staple, or a second
 * ssl_stapling. */
static void
plan_removals(struct planner *planner, const struct nginx_site *site)
{
	for (size_t i = 0; i < site->include_line_count; i++) {
		const struct nginx_directive *line = site->include_lines[i];
		const struct nginx_file *file;
		bool all = true;

		if (!is_misplaced(planner, site, line))
			continue;
		for (size_t k = 0; k < planner->conf->site_count; k++) {
			const struct nginx_site *other =
			    &planner->conf->sites[k];

			if (holds(other->include_lines,
				other->include_line_count, line) &&
			    !is_misplaced(planner, other, line))
				all = false;
		}
		file = nginx_conf_file(planner->conf, line);
		if (all)
			nginx_insert_comment(
			    &work_for(planner, file)->inserts, file, line);
		else
			add_note(planner,
			    mem_printf(
				"%s:%d: this staple is right for some "
				"of the server blocks that include it "
				"and wrong for the one at %s:%d: put the "
				"line into those where it belongs",
				line->file, line->line, site->server->file,
				site->server->line));
	}
}

/* The file itself behind symbolic links, as sites-enabled/ is made of. */
static char *
real_path(const char *path)
{
	char *real = realpath(path, NULL);

	return real == NULL ? mem_string(path) : real;
}

static void
add_edit(struct planner *planner, const struct nginx_file *file)
{
	struct nginx_plan *plan = planner->plan;
	struct work *work = work_for(planner, file);
	char *path;

	if (work->inserts.count == 0)
		return;
	path = real_path(file->path);
	for (size_t i = 0; i < plan->edit_count; i++) {
		/* One file by two names: the edits are the same. */
		if (strcmp(plan->edits[i].path, path) == 0) {
			free(path);
			free(nginx_insert_apply(&work->inserts, file));
			return;
		}
	}
	plan->edits = grow(plan->edits, plan->edit_count, sizeof(*plan->edits));
	plan->edits[plan->edit_count++] = (struct nginx_edit){
	    .path = path,
	    .before = mem_string(file->text),
	    .after = nginx_insert_apply(&work->inserts, file),
	};
}

void
nginx_plan_make(const struct nginx *nginx, const struct nginx_conf *conf,
    struct nginx_plan **out)
{
	struct planner planner = {
	    .nginx = nginx,
	    .conf = conf,
	    .plan = mem_new(sizeof(*planner.plan)),
	    .work = mem_array(conf->file_count, sizeof(*planner.work)),
	};

	for (size_t i = 0; i < conf->site_count; i++) {
		plan_removals(&planner, &conf->sites[i]);
		if (!is_handled(&planner, &conf->sites[i])) {
			note_left_alone(&planner, &conf->sites[i]);
			continue;
		}
		if (needs_include(&planner, &conf->sites[i]))
			plan_include(&planner, &conf->sites[i]);
		plan_comments(&planner, &conf->sites[i]);
	}
	if (conf->stapling_for_all != NULL)
		add_note(&planner,
		    mem_printf("%s:%d: ssl_stapling_file in http {} is in "
			       "force wherever oclasp has withdrawn a staple; "
			       "remove it",
			conf->stapling_for_all->file,
			conf->stapling_for_all->line));
	for (int with = 0; with <= 1; with++) {
		for (size_t i = 0; i < conf->file_count; i++) {
			if (planner.work[i].includes == (with == 1))
				add_edit(&planner, &conf->files[i]);
		}
	}
	free(planner.work);
	*out = planner.plan;
}

void
nginx_plan_free(struct nginx_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->edit_count; i++) {
		free(plan->edits[i].path);
		free(plan->edits[i].before);
		free(plan->edits[i].after);
	}
	for (size_t i = 0; i < plan->note_count; i++)
		free(plan->notes[i]);
	free(plan->edits);
	free(plan->notes);
	free(plan);
}

char *
nginx_plan_diff(const struct nginx_plan *plan)
{
	struct buf out;

	buf_init(&out, DIFF_MAX);
	for (size_t i = 0; i < plan->edit_count; i++) {
		const struct nginx_edit *edit = &plan->edits[i];
		char *diff =
		    diff_unified(edit->path, edit->before, edit->after);

		buf_puts(&out, diff);
		free(diff);
	}
	return buf_take(&out);
}
