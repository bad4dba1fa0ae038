/* SPDX-License-Identifier: ISC */
/* fuzz_config.c -- the configuration file. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "face/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options options = {0};
	struct config *config = NULL;
	struct err err = {0};
	char path[32];
	int fd = memfd_create("oclasp.conf", MFD_CLOEXEC);

	assert(fd != -1);
	if (write(fd, data, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	options.config = path;
	if (config_load(&options, &config, &err) == 0) {
		assert(config != NULL);
		assert(options.resolver_count <= RESOLVERS_MAX);
		assert(options.pin_count <= ACQUIRE_PINS_MAX);
		for (size_t i = 0; i < options.spec_count; i++)
			assert(options.specs[i].certificate != NULL);
	} else {
		assert(config == NULL && err.reason != REASON_NONE);
	}
	config_free(config);
	close(fd);
	return 0;
}
