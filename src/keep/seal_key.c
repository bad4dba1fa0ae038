/* SPDX-License-Identifier: ISC */
/* keep/seal_key.c -- the key of our seals, in the state folder. */
#include "keep/seal_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/seal.h"

/* As it is written: another small file of ours is none. */
struct written {
	char begin[16];
	uint8_t key[SEAL_KEY];
};

static const char begin[16] = "oclasp seal key";

static int
load(const char *path, struct written *out, struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = -1;

	if (file_read_own_secret(path, sizeof(*out), &bytes, &len, err) == -1)
		return -1;
	if (len == sizeof(*out) && memcmp(bytes, begin, sizeof(begin)) == 0) {
		memcpy(out, bytes, len);
		rc = 0;
	} else {
		(void)err_set(
		    err, REASON_FILE, "'%s' holds no key of ours", path);
	}
	explicit_bzero(bytes, len);
	free(bytes);
	return rc;
}

static int
make(const char *path, struct written *out, struct err *err)
{
	memcpy(out->begin, begin, sizeof(begin));
	if (getrandom(out->key, sizeof(out->key), 0) !=
	    (ssize_t)sizeof(out->key))
		return err_set(err, REASON_FILE,
		    "no random numbers for '%s': %s", path, strerror(errno));
	return file_replace(path, out, sizeof(*out), 0600, err);
}

struct sealer *
seal_key_open(const char *dir, bool may_make, struct err *err)
{
	char *path = mem_printf("%s/seal.key", dir);
	struct sealer *sealer = NULL;
	struct written key = {0};

	if (load(path, &key, may_make ? NULL : err) == 0 ||
	    (may_make && make(path, &key, err) == 0)) {
		sealer = sealer_new(key.key);
		if (sealer == NULL)
			(void)err_set(err, REASON_FILE,
			    "this OpenSSL has no HMAC to seal with");
	}
	explicit_bzero(&key, sizeof(key));
	free(path);
	return sealer;
}
