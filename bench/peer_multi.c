/* SPDX-License-Identifier: ISC */
/* bench/peer_multi.c -- the peer of bench/refresh: the least that fetches and
 * fully verifies many OCSP responses, by libcurl's multi interface and OpenSSL's
 * own OCSP_basic_verify.  Nothing is stored, scheduled or remembered.
 *
 *	peer-multi LIST ISSUER URL CONCURRENCY [FOLDER]
 *
 * LIST holds the path of one certificate a line.  They are read, and the
 * requests made, before the time begins; with FOLDER that is timed too, and each
 * response is written there.  Says one line of JSON. */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { JOBS_MAX = 100000, CONCURRENCY_MAX = 256, BODY_MAX = 65536 };

struct job {
	X509 *leaf;
	OCSP_CERTID *id;
	char *url;
};

struct slot {
	CURL *easy;
	const struct job *job;
	unsigned char body[BODY_MAX];
	size_t len;
};

struct peer {
	X509 *issuer;
	STACK_OF(X509) * signers;
	X509_STORE *store;
	const char *url, *folder;
	struct job jobs[JOBS_MAX];
	size_t count, next, good;
};

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "peer-multi: cannot %s\n", what);
	exit(1);
}

static double
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static X509 *
read_cert(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *x509 =
	    file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);

	must(x509 != NULL, "read a certificate");
	(void)fclose(file);
	return x509;
}

/* The URL of a GET: the request as base64, three characters of it escaped. */
static char *
make_url(const char *base, OCSP_CERTID *id)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *der = NULL, base64[1024];
	char *url, *at;
	int len;

	must(OCSP_request_add0_id(request, OCSP_CERTID_dup(id)) != NULL,
	    "make a request");
	len = i2d_OCSP_REQUEST(request, &der);
	must(len > 0 && len < 512, "make a request");
	(void)EVP_EncodeBlock(base64, der, len);
	url = malloc(strlen(base) + 3 * sizeof(base64));
	must(url != NULL, "allocate");
	memcpy(url, base, strlen(base));
	at = url + strlen(base);
	for (const unsigned char *c = base64; *c != '\0'; c++) {
		if (*c == '+' || *c == '/' || *c == '=')
			at += snprintf(at, 4, "%%%02X", *c);
		else
			*at++ = (char)*c;
	}
	*at = '\0';
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
	return url;
}

static void
read_jobs(struct peer *peer, const char *list)
{
	FILE *file = fopen(list, "r");
	char path[1024];

	must(file != NULL, "read the list");
	while (
	    peer->count < JOBS_MAX && fgets(path, sizeof(path), file) != NULL) {
		struct job *job = &peer->jobs[peer->count++];

		path[strcspn(path, "\n")] = '\0';
		job->leaf = read_cert(path);
		job->id = OCSP_cert_to_id(EVP_sha1(), job->leaf, peer->issuer);
		job->url = make_url(peer->url, job->id);
	}
	(void)fclose(file);
}

/* As RFC 6960, section 3.2, wants it: form, signature and signer, the right
 * certificate, the times. */
static bool
is_good(const struct peer *peer, const struct slot *slot)
{
	const unsigned char *at = slot->body;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)slot->len);
	OCSP_BASICRESP *basic = NULL;
	ASN1_GENERALIZEDTIME *from = NULL, *to = NULL;
	int status = -1;
	bool good = false;

	if (response != NULL &&
	    OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	good = basic != NULL &&
	       OCSP_basic_verify(basic, peer->signers, peer->store, 0) == 1 &&
	       OCSP_resp_find_status(basic, slot->job->id, &status, NULL, NULL,
		   &from, &to) == 1 &&
	       OCSP_check_validity(from, to, 300, -1) == 1 &&
	       status == V_OCSP_CERTSTATUS_GOOD;
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return good;
}

static void
write_file(const struct peer *peer, const struct slot *slot)
{
	char path[1024];
	FILE *file;

	if (peer->folder == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/%zu.der", peer->folder,
	    (size_t)(slot->job - peer->jobs));
	file = fopen(path, "w");
	must(file != NULL &&
		 fwrite(slot->body, 1, slot->len, file) == slot->len &&
		 fclose(file) == 0,
	    "write a response");
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *cookie)
{
	struct slot *slot = cookie;
	size_t len = size * count;

	if (slot->len + len > BODY_MAX)
		return 0;
	memcpy(slot->body + slot->len, bytes, len);
	slot->len += len;
	return len;
}

/* How many transfers that has begun: 0 if nothing is left. */
static int
begin(struct peer *peer, CURLM *multi, struct slot *slot)
{
	if (peer->next == peer->count)
		return 0;
	slot->job = &peer->jobs[peer->next++];
	slot->len = 0;
	curl_easy_setopt(slot->easy, CURLOPT_URL, slot->job->url);
	must(curl_multi_add_handle(multi, slot->easy) == CURLM_OK, "fetch");
	return 1;
}

static void
run(struct peer *peer, size_t concurrency)
{
	struct slot *slots = calloc(concurrency, sizeof(*slots));
	CURLM *multi = curl_multi_init();
	int running, left;
	CURLMsg *message;

	must(slots != NULL && multi != NULL, "begin");
	for (size_t i = 0; i < concurrency; i++) {
		slots[i].easy = curl_easy_init();
		curl_easy_setopt(
		    slots[i].easy, CURLOPT_WRITEFUNCTION, take_body);
		curl_easy_setopt(slots[i].easy, CURLOPT_WRITEDATA, &slots[i]);
		curl_easy_setopt(slots[i].easy, CURLOPT_PRIVATE, &slots[i]);
		(void)begin(peer, multi, &slots[i]);
	}
	do {
		int begun = 0;

		(void)curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left)) != NULL) {
			struct slot *slot = NULL;

			(void)curl_easy_getinfo(message->easy_handle,
			    CURLINFO_PRIVATE, (char **)&slot);
			if (message->data.result == CURLE_OK &&
			    is_good(peer, slot)) {
				write_file(peer, slot);
				peer->good++;
			}
			(void)curl_multi_remove_handle(multi, slot->easy);
			begun += begin(peer, multi, slot);
		}
		running += begun;
		if (begun == 0 && running > 0)
			(void)curl_multi_poll(multi, NULL, 0, 1000, NULL);
	} while (running > 0);
}

int
main(int argc, char **argv)
{
	static struct peer peer;
	struct rusage before, after;
	size_t concurrency;
	double start, end, cpu;

	must(argc == 5 || argc == 6,
	    "begin: give LIST ISSUER URL CONCURRENCY [FOLDER]");
	concurrency = strtoul(argv[4], NULL, 10);
	must(concurrency > 0 && concurrency <= CONCURRENCY_MAX, "do so many");
	peer.issuer = read_cert(argv[2]);
	peer.url = argv[3];
	peer.folder = argv[5];
	peer.store = X509_STORE_new();
	peer.signers = sk_X509_new_null();
	must(X509_STORE_add_cert(peer.store, peer.issuer) == 1 &&
		 sk_X509_push(peer.signers, peer.issuer) > 0,
	    "trust the issuer");
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	start = seconds();
	(void)getrusage(RUSAGE_SELF, &before);
	read_jobs(&peer, argv[1]);
	if (peer.folder == NULL) {
		start = seconds();
		(void)getrusage(RUSAGE_SELF, &before);
	}
	run(&peer, concurrency);
	end = seconds();
	(void)getrusage(RUSAGE_SELF, &after);
	cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
		       after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
	      (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
		       after.ru_stime.tv_usec - before.ru_stime.tv_usec) /
		  1e6;
	(void)printf("{\"good\": %zu, \"seconds\": %.6f, \"cpu_s\": %.6f, "
		     "\"rss_kb\": %ld}\n",
	    peer.good, end - start, cpu, after.ru_maxrss);
	return peer.good == peer.count ? 0 : 1;
}
