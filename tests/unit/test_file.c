/* SPDX-License-Identifier: ISC */
/* test_file.c -- base/file: the old bytes or the new ones, nothing between
 * (I7), and no file that hangs or floods us (I5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "scratch.h"
#include "base/mem.h"

static char folder[] = "/tmp/oclasp-test-file-XXXXXX";

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : chdir(folder);
}

static int
remove_folder(void **state)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	(void)state;
	while ((entry = readdir(dir)) != NULL) {
		if (unlink(entry->d_name) == -1)
			(void)rmdir(entry->d_name);
	}
	closedir(dir);
	return chdir("/") == -1 ? -1 : rmdir(folder);
}

static size_t
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

static void
put(const char *path, const char *text)
{
	struct err err = {0};

	if (file_replace(path, text, strlen(text), 0644, &err) != 0)
		fail_msg("%s", err.text);
}

static void
assert_holds(const char *path, const char *text)
{
	struct err err = {0};
	uint8_t *data = NULL;
	size_t len = 0;

	if (file_read(path, 100000, &data, &len, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(strlen(text), len);
	assert_memory_equal(text, data, len + 1); /* with the NUL */
	free(data);
	assert_true(file_holds(path, text, strlen(text)));
}

static void
test_replace(void **state)
{
	struct stat st;
	mode_t umask_before = umask(0077);
	struct err err = {0};

	(void)state;
	put("a", "old");
	assert_holds("a", "old");
	put("a", "newer");
	assert_holds("a", "newer");
	put("a", "");
	assert_holds("a", "");
	assert_int_equal(0, file_replace("a", "x", 1, 0640, &err));
	assert_int_equal(0, stat("a", &st));
	assert_int_equal(0640, st.st_mode & 07777); /* whatever the umask */
	(void)umask(umask_before);
	assert_int_equal(1, count_entries("."));
	/* one of many */
	assert_int_equal(0, file_replace_unflushed("a", "y", 1, 0600, &err));
	assert_holds("a", "y");
	assert_int_equal(1, count_entries("."));
	assert_int_equal(0, file_flush_folder(".", &err));
	assert_int_equal(-1, file_flush_folder("a", NULL));
	assert_int_equal(-1, file_flush_folder("none", &err));
	assert_non_null(strstr(err.text, "none"));
	/* a name without a folder, with one, and beside a dot */
	put("./b", "1");
	assert_holds("b", "1");
	assert_int_equal(0, unlink("a"));
	assert_int_equal(0, unlink("b"));
}

/* What is done to names and to the disk, in order: an `f` for each file that is
 * flushed, an `F` for a folder, an `r` for a name that is given, a `u` for one that
 * is taken away. */
static char story[16];

static void
tell(char what)
{
	size_t len = strlen(story);

	if (len + 1 < sizeof(story))
		story[len] = what;
}

/* These three stand before those of the C library. */
int
fsync(int fd)
{
	struct stat st;

	tell(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'F' : 'f');
	return (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	tell('r');
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int
unlink(const char *path)
{
	tell('u');
	return unlinkat(AT_FDCWD, path, 0);
}

/* A12, I7: the whole is on the disk before it takes the name, the name is on the
 * disk before anybody is told so, and there is no moment without the name. */
static void
test_order(void **state)
{
	(void)state;
	put("a", "old");
	memset(story, 0, sizeof(story));
	put("a", "new");
	if (strcmp(story, "frF") != 0)
		fail_msg("A12: replaced by '%s'", story);
	memset(story, 0, sizeof(story));
	assert_int_equal(0, file_replace_unflushed("a", "y", 1, 0600, NULL));
	assert_int_equal(0, file_flush_folder(".", NULL));
	if (strcmp(story, "frF") != 0)
		fail_msg("A12: one of many, replaced by '%s'", story);
	assert_int_equal(0, unlink("a"));
}

/* A reader that has the old file open goes on reading the old bytes. */
static void
test_reader_sees_one_or_the_other(void **state)
{
	char have[8] = "";
	int fd;

	(void)state;
	put("a", "old");
	fd = open("a", O_RDONLY | O_CLOEXEC);
	put("a", "new");
	assert_int_equal(3, read(fd, have, sizeof(have)));
	assert_string_equal("old", have);
	close(fd);
	assert_holds("a", "new");
	assert_int_equal(0, unlink("a"));
}

/* I8: servers include folders by *, which must never match a file that is
 * half written.  A limit of file size stops us in the middle. */
static void
test_no_stranger_in_the_folder(void **state)
{
	static char big[65536];
	glob_t found;
	pid_t child;
	int status = 0;

	(void)state;
	put("a", "old");
	child = fork();
	if (child == 0) {
		struct rlimit limit = {1000, 1000};

		/* the signal of the limit ends us as kill -9 would */
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		(void)setrlimit(RLIMIT_FSIZE, &limit);
		(void)signal(SIGXFSZ, SIG_DFL);
		(void)file_replace("a", big, sizeof(big), 0644, NULL);
		_exit(0);
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_true(WIFSIGNALED(status));
	assert_holds("a", "old");
	/* what is left behind begins with a dot */
	assert_int_equal(2, count_entries("."));
	assert_int_equal(0, glob("*", 0, NULL, &found));
	assert_int_equal(1, found.gl_pathc);
	assert_string_equal("a", found.gl_pathv[0]);
	globfree(&found);
	assert_int_equal(0, glob(".a.new.*", 0, NULL, &found));
	assert_int_equal(1, found.gl_pathc);
	assert_int_equal(0, unlink(found.gl_pathv[0]));
	globfree(&found);
	assert_int_equal(1, count_entries("."));
	assert_int_equal(0, unlink("a"));
}

/* An access list as the kernel keeps it: little-endian version, then tag,
 * permissions and identity of each entry (acl(5)): user::rw-, user:12345:r--,
 * group::r--, mask::r--, other::---. */
static const char access_list[] = "\2\0\0\0"
				  "\1\0\6\0\377\377\377\377"
				  "\2\0\4\0\71\60\0\0"
				  "\4\0\4\0\377\377\377\377"
				  "\20\0\4\0\377\377\377\377"
				  "\40\0\0\0\377\377\377\377";

/* Somebody else's file keeps its owner, mode and access list. */
static void
test_replace_like(void **state)
{
	static const char name[] = "system.posix_acl_access";
	char acl[sizeof(access_list)] = "";
	struct stat before, after;
	struct file_model model = {"a", &before};
	struct err err = {0};
	bool has_acl;

	(void)state;
	put("a", "old");
	assert_int_equal(0, chmod("a", 0640));
	(void)chown("a", 12345, 54321); /* as root it is a test, else not */
	has_acl =
	    setxattr("a", name, access_list, sizeof(access_list) - 1, 0) == 0;
	assert_int_equal(0, stat("a", &before));
	/* a copy beside it, and then it itself */
	assert_int_equal(
	    0, file_replace_like("copy", "old", 3, 0644, &model, &err));
	assert_int_equal(
	    0, file_replace_like("a", "new!", 4, 0644, &model, &err));
	assert_holds("a", "new!");
	for (const char *const *path = (const char *const[]){"a", "copy", NULL};
	     *path != NULL; path++) {
		assert_int_equal(0, stat(*path, &after));
		assert_int_equal(before.st_mode, after.st_mode);
		assert_int_equal(before.st_uid, after.st_uid);
		assert_int_equal(before.st_gid, after.st_gid);
		if (!has_acl)
			continue;
		assert_int_equal(sizeof(access_list) - 1,
		    getxattr(*path, name, acl, sizeof(acl)));
		assert_memory_equal(access_list, acl, sizeof(acl) - 1);
	}
	assert_int_equal(2, count_entries("."));
	assert_int_equal(0, unlink("a"));
	assert_int_equal(0, unlink("copy"));
	if (!has_acl)
		print_message("no access lists here: not tested\n");
}

/* Nobody's change is lost: what was read must be what is there. */
static void
test_replace_like_moved(void **state)
{
	struct stat seen;
	const struct file_model was_there = {"a", &seen}, was_not = {"a", NULL};
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    0, file_replace_like("a", "1", 1, 0600, &was_not, &err));
	assert_int_equal(0, stat("a", &seen));
	assert_int_equal(0600, seen.st_mode & 07777);
	/* somebody made it meanwhile */
	assert_int_equal(
	    -1, file_replace_like("a", "2", 1, 0600, &was_not, &err));
	assert_int_equal(REASON_FILE, err.reason);
	assert_non_null(strstr(err.text, "somebody else"));
	assert_holds("a", "1");
	put("a", "theirs");
	assert_int_equal(
	    -1, file_replace_like("a", "2", 1, 0600, &was_there, NULL));
	assert_holds("a", "theirs");
	assert_int_equal(0, unlink("a"));
	assert_int_equal(
	    -1, file_replace_like("a", "2", 1, 0600, &was_there, NULL));
	assert_int_equal(0, count_entries(".")); /* and nothing is left */
}

/* I7, A13: the disk is full. */
static void
test_full_disk(void **state)
{
	static char big[65536];
	pid_t child;
	int status = 0;

	(void)state;
	put("a", "old");
	child = fork();
	if (child == 0) {
		struct rlimit limit = {1000, 1000};
		struct err err = {0};

		(void)signal(SIGXFSZ, SIG_IGN); /* then write() fails */
		(void)setrlimit(RLIMIT_FSIZE, &limit);
		if (file_replace("a", big, sizeof(big), 0644, &err) != -1)
			_exit(1);
		if (err.reason != REASON_FILE ||
		    strstr(err.text, "'a'") == NULL)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_int_equal(0, status);
	assert_holds("a", "old");
	assert_int_equal(1, count_entries("."));
	assert_int_equal(0, unlink("a"));
}

static void
test_replace_fails(void **state)
{
	static const char *const rows[] = {
	    "no/such/folder", "folder", "folder/", ".", /* are some */
	    "/proc/version", /* no files can be made there */
	    "file/beneath",  /* no folder */
	    "", "pipe", /* as the devices of /dev, which root could replace */
	    "link", "descriptor", /* as /dev/stdout */
	};

	(void)state;
	assert_int_equal(0, mkdir("folder", 0700));
	put("file", "x");
	assert_int_equal(0, mkfifo("pipe", 0600));
	assert_int_equal(0, symlink("pipe", "link"));
	assert_int_equal(0, symlink("/proc/self/exe", "descriptor"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = {0};

		if (file_replace(rows[i], "x", 1, 0600, &err) != -1)
			fail_msg("'%s' was written", rows[i]);
		assert_int_equal(REASON_FILE, err.reason);
		assert_non_null(strstr(err.text, "cannot write"));
		if (i >= 1 && i <= 3)
			assert_non_null(strstr(err.text, "it is a folder"));
		assert_int_equal(-1, file_replace(rows[i], "x", 1, 0600, NULL));
	}
	assert_holds("file", "x");
	assert_int_equal(5, count_entries("."));
	assert_int_equal(0, count_entries("folder"));
	assert_int_equal(0, unlink("pipe"));
	assert_int_equal(0, unlink("link"));
	assert_int_equal(0, unlink("descriptor"));
	assert_int_equal(0, rmdir("folder"));
	assert_int_equal(0, unlink("file"));
}

/* Root may write everywhere, so somebody else has to try. */
static void
test_read_only_folder(void **state)
{
	pid_t child;
	int status = 0;

	(void)state;
	assert_int_equal(0, mkdir("folder", 0755));
	put("folder/a", "old");
	assert_int_equal(0, chmod("folder", 0555));
	assert_int_equal(0, chmod(".", 0755));
	child = fork();
	if (child == 0) {
		struct err err = {0};

		if (geteuid() == 0 && setuid(65534) == -1)
			_exit(3);
		if (file_replace("folder/a", "new", 3, 0644, &err) != -1)
			_exit(1);
		_exit(strstr(err.text, "Permission denied") == NULL ? 2 : 0);
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_int_equal(0, status);
	assert_holds("folder/a", "old");
	assert_int_equal(1, count_entries("folder"));
	assert_int_equal(0, chmod("folder", 0755));
	assert_int_equal(0, unlink("folder/a"));
	assert_int_equal(0, rmdir("folder"));
}

static void
test_symbolic_link_is_replaced(void **state)
{
	struct stat st;

	(void)state;
	put("target", "kept");
	assert_int_equal(0, symlink("target", "link"));
	put("link", "new");
	assert_int_equal(0, lstat("link", &st));
	assert_true(S_ISREG(st.st_mode));
	assert_holds("target", "kept");
	assert_int_equal(0, unlink("link"));
	assert_int_equal(0, unlink("target"));
}

static void
test_read_sizes(void **state)
{
	struct err err = {0};
	uint8_t *data = NULL;
	size_t len = 0;

	(void)state;
	put("a", "12345");
	assert_int_equal(0, file_read("a", 5, &data, &len, &err));
	assert_int_equal(5, len);
	free(data);
	data = NULL;
	assert_int_equal(-1, file_read("a", 4, &data, &len, &err));
	assert_null(data);
	assert_int_equal(REASON_FILE, err.reason);
	assert_non_null(strstr(err.text, "larger than the 4 bytes"));
	assert_int_equal(-1, file_read("a", 0, &data, &len, NULL));
	assert_true(file_holds("a", "12345", 5));
	assert_false(file_holds("a", "12346", 5));
	assert_false(file_holds("a", "1234", 4));
	assert_false(file_holds("a", "123456", 6));
	assert_false(file_holds("a", NULL, 0));
	assert_false(file_holds("none", NULL, 0));
	put("a", "");
	assert_true(file_holds("a", NULL, 0));
	assert_false(file_holds("a", "1", 1));
	assert_int_equal(0, unlink("a"));
}

static void
test_read_special_files(void **state)
{
	static const struct {
		const char *path, *says;
	} rows[] = {
	    {"none", "No such file"},
	    {".", "Is a directory"},
	    {"/dev/zero", "device or a socket"},
	    {"/dev/null", "device or a socket"},
	    {"socket", ""},
	    {"loop", "symbolic links"},
	    {"", "No such file"},
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t *data = NULL;
	size_t len = 0;

	(void)state;
	memcpy(address.sun_path, "socket", sizeof("socket"));
	assert_int_equal(
	    0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	assert_int_equal(0, symlink("loop", "loop"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = {0};

		if (file_read(rows[i].path, 1 << 20, &data, &len, &err) != -1)
			fail_msg("'%s' was read", rows[i].path);
		assert_int_equal(REASON_FILE, err.reason);
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("'%s': %s", rows[i].path, err.text);
		assert_int_equal(
		    -1, file_read(rows[i].path, 1 << 20, &data, &len, NULL));
	}
	close(fd);
	assert_int_equal(0, unlink("loop"));
	assert_int_equal(0, unlink("socket"));
}

/* A pipe of the shell is read to its end, also if the writer is slow; one
 * that nobody writes is empty at once. */
static void
test_read_pipes(void **state)
{
	struct err err = {0};
	uint8_t *data = NULL;
	size_t len = 0;
	char path[64];
	int pipes[2];
	pid_t child;

	(void)state;
	assert_int_equal(0, mkfifo("fifo", 0600));
	assert_int_equal(0, file_read("fifo", 10, &data, &len, &err));
	assert_int_equal(0, len);
	free(data);
	assert_int_equal(0, unlink("fifo"));

	assert_int_equal(0, pipe(pipes));
	child = fork();
	if (child == 0) {
		close(pipes[0]);
		for (int i = 0; i < 3; i++) {
			(void)usleep(20000);
			if (write(pipes[1], "abc", 3) != 3)
				_exit(1);
		}
		_exit(0);
	}
	close(pipes[1]);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", pipes[0]);
	if (file_read(path, 100, &data, &len, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(9, len);
	assert_memory_equal("abcabcabc", data, 9);
	free(data);
	assert_int_equal(child, waitpid(child, NULL, 0));
	close(pipes[0]);
}

static void
test_standard_input(void **state)
{
	uint8_t *data = NULL;
	size_t len = 0;
	struct err err = {0};
	int pipes[2], saved = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(0, pipe(pipes));
	assert_int_equal(5, write(pipes[1], "stdin", 5));
	close(pipes[1]);
	assert_int_equal(STDIN_FILENO, dup2(pipes[0], STDIN_FILENO));
	close(pipes[0]);
	assert_int_equal(0, file_read("-", 100, &data, &len, &err));
	assert_int_equal(5, len);
	free(data);
	assert_int_equal(STDIN_FILENO, dup2(saved, STDIN_FILENO));
	close(saved);
}

static void
test_make_dir(void **state)
{
	struct err err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(0, file_make_dir("x/y//z", 0700, &err));
	assert_int_equal(0, stat("x/y/z", &st));
	assert_int_equal(0700, st.st_mode & 07777);
	assert_int_equal(0, file_make_dir("x/y/z", 0700, &err));
	assert_int_equal(0, file_make_dir("x/y/z/", 0700, &err));
	assert_int_equal(0, file_make_dir("/", 0700, &err));
	assert_int_equal(0, file_make_dir(folder, 0700, &err));
	assert_int_equal(0, err.reason);
	put("x/file", "");
	assert_int_equal(-1, file_make_dir("x/file", 0700, &err));
	assert_int_equal(REASON_FILE, err.reason);
	assert_non_null(strstr(err.text, "'x/file'"));
	assert_int_equal(-1, file_make_dir("x/file/y", 0700, NULL));
	assert_int_equal(-1, file_make_dir("", 0700, NULL));
	assert_int_equal(0, unlink("x/file"));
	assert_int_equal(0, rmdir("x/y/z"));
	assert_int_equal(0, rmdir("x/y"));
	assert_int_equal(0, rmdir("x"));
}

static void
test_lock(void **state)
{
	char other[32];
	struct err err = {0};
	int lock = -1, ready[2], go[2];
	pid_t child;
	char octet;
	long holder = -1;

	(void)state;
	assert_int_equal(0, pipe(ready));
	assert_int_equal(0, pipe(go));
	child = fork();
	if (child == 0) {
		if (file_lock("lock", &lock, NULL) != 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1 || read(go[0], &octet, 1) < 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(1, read(ready[0], &octet, 1));
	assert_int_equal(-1, file_lock("lock", &lock, &err));
	assert_int_equal(-1, lock);
	assert_int_equal(REASON_USAGE, err.reason);
	(void)snprintf(other, sizeof(other), "process %d,", (int)child);
	if (strstr(err.text, other) == NULL)
		fail_msg(
		    "the other pid %d is not in: %s", (int)child, err.text);
	assert_true(file_is_locked("lock", &holder));
	assert_int_equal(holder, child);
	/* it dies, however: the lock is free, with a longer pid in it or not */
	assert_int_equal(0, kill(child, SIGKILL));
	assert_int_equal(child, waitpid(child, NULL, 0));
	assert_false(file_is_locked("lock", &holder));
	assert_false(file_is_locked("none", &holder));
	assert_false(file_is_locked("no/such/lock", &holder));
	assert_int_equal(-1, access("none", F_OK));
	err_clear(&err);
	if (file_lock("lock", &lock, &err) != 0)
		fail_msg("%s", err.text);
	(void)snprintf(other, sizeof(other), "%d\n", (int)getpid());
	assert_holds("lock", other);
	close(lock);
	assert_int_equal(-1, file_lock("no/such/lock", &lock, &err));
	assert_int_equal(REASON_FILE, err.reason);
	assert_int_equal(0, unlink("lock"));
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

/* Another number for each way in which a file changes. */
static void
test_stamp(void **state)
{
	struct scratch scratch;
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	char *path, *other, *link;
	uint64_t first;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "file");
	other = scratch_path(&scratch, "other");
	link = scratch_path(&scratch, "link");
	assert_true(file_stamp(path) == 0);
	scratch_write(path, "abc");
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	first = file_stamp(path);
	assert_true(first != 0 && first == file_stamp(path));
	assert_int_equal(symlink(path, link), 0);
	assert_true(file_stamp(link) == first);
	times[1].tv_nsec = 1;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_true(file_stamp(path) != first);
	times[1].tv_nsec = 0;
	scratch_write(path, "abcd");
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_true(file_stamp(path) != first);
	scratch_write(other, "abc");
	assert_int_equal(utimensat(AT_FDCWD, other, times, 0), 0);
	assert_int_equal(rename(other, path), 0);
	assert_true(file_stamp(path) != first); /* another inode */
	assert_true(file_stamp(link) == file_stamp(path));
	assert_int_equal(unlink(path), 0);
	assert_true(file_stamp(path) == 0 && file_stamp(link) == 0);
	free(path);
	free(other);
	free(link);
	scratch_remove(&scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replace),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_reader_sees_one_or_the_other),
	    cmocka_unit_test(test_no_stranger_in_the_folder),
	    cmocka_unit_test(test_replace_like),
	    cmocka_unit_test(test_replace_like_moved),
	    cmocka_unit_test(test_full_disk),
	    cmocka_unit_test(test_replace_fails),
	    cmocka_unit_test(test_read_only_folder),
	    cmocka_unit_test(test_symbolic_link_is_replaced),
	    cmocka_unit_test(test_read_sizes),
	    cmocka_unit_test(test_read_special_files),
	    cmocka_unit_test(test_read_pipes),
	    cmocka_unit_test(test_standard_input),
	    cmocka_unit_test(test_make_dir),
	    cmocka_unit_test(test_lock),
	    cmocka_unit_test(test_stamp),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
