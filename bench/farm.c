/* SPDX-License-Identifier: ISC */
/* bench/farm.c -- many certificates and their signed responses, made fast.
 *
 *	farm DIR COUNT ec|rsa direct|delegate URL
 *
 * Writes DIR/issuer.pem; DIR/N.pem, leaf and issuer; DIR/list, their names; DIR/
 * oclasp.conf, which keeps them all; and DIR/table, a list of request and response,
 * each behind its length as four octets, the most significant first.  The
 * leaves share one key, since nobody looks at it. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DAY = 86400, COUNT_MAX = 1000000 };

struct farm {
	const char *dir, *url;
	bool ec, delegate;
	EVP_PKEY *ca_key, *leaf_key, *signer_key;
	X509 *ca, *signer;
	FILE *table, *list, *conf;
};

/* What goes wrong here is want of memory or disk. */
static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "farm: cannot %s\n", what);
	exit(1);
}

static EVP_PKEY *
make_key(const struct farm *farm)
{
	EVP_PKEY *key = farm->ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);

	must(key != NULL, "make a key");
	return key;
}

static void
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(x509, extension, -1) == 1,
	    "add an extension");
	X509_EXTENSION_free(extension);
}

/* A certificate of SERIAL for KEY, not signed yet; ISSUER NULL: its own. */
static X509 *
make_cert(uint64_t serial, const char *name, EVP_PKEY *key, X509 *issuer)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);

	must(X509_set_version(x509, X509_VERSION_3) == 1 &&
		 ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial) ==
		     1 &&
		 X509_gmtime_adj(X509_getm_notBefore(x509), -DAY) != NULL &&
		 X509_gmtime_adj(X509_getm_notAfter(x509), 80L * DAY) != NULL &&
		 X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
		     (const unsigned char *)name, -1, -1, 0) == 1 &&
		 X509_set_issuer_name(x509,
		     issuer == NULL ? subject
				    : X509_get_subject_name(issuer)) == 1 &&
		 X509_set_pubkey(x509, key) == 1,
	    "make a certificate");
	return x509;
}

static void
sign(const struct farm *farm, X509 *x509)
{
	must(X509_sign(x509, farm->ca_key, EVP_sha256()) > 0,
	    "sign a certificate");
}

static FILE *
open_file(const struct farm *farm, const char *name)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", farm->dir, name);
	file = fopen(path, "w");
	must(file != NULL, "write a file");
	return file;
}

static void
make_authority(struct farm *farm)
{
	FILE *file = open_file(farm, "issuer.pem");

	farm->ca_key = make_key(farm);
	farm->leaf_key = make_key(farm);
	farm->ca = make_cert(1, "Farm CA", farm->ca_key, NULL);
	add_extension(
	    farm->ca, farm->ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(
	    farm->ca, farm->ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(farm->ca, farm->ca, NID_subject_key_identifier, "hash");
	sign(farm, farm->ca);
	farm->signer = farm->ca;
	farm->signer_key = farm->ca_key;
	must(PEM_write_X509(file, farm->ca) == 1 && fclose(file) == 0,
	    "write the issuer");
	if (!farm->delegate)
		return;
	farm->signer_key = make_key(farm);
	farm->signer =
	    make_cert(2, "Farm OCSP Signer", farm->signer_key, farm->ca);
	add_extension(
	    farm->signer, farm->ca, NID_key_usage, "critical,digitalSignature");
	add_extension(farm->signer, farm->ca, NID_ext_key_usage, "OCSPSigning");
	add_extension(farm->signer, farm->ca, NID_id_pkix_OCSP_noCheck, "");
	add_extension(
	    farm->signer, farm->ca, NID_subject_key_identifier, "hash");
	add_extension(
	    farm->signer, farm->ca, NID_authority_key_identifier, "keyid");
	sign(farm, farm->signer);
}

/* One entry of the table, which is taken. */
static void
write_entry(const struct farm *farm, unsigned char *der, int len)
{
	const unsigned char head[4] = {0, (unsigned char)(len >> 16),
	    (unsigned char)(len >> 8), (unsigned char)len};

	must(len > 0 && fwrite(head, sizeof(head), 1, farm->table) == 1 &&
		 fwrite(der, (size_t)len, 1, farm->table) == 1,
	    "write the table");
	OPENSSL_free(der);
}

static void
write_exchange(const struct farm *farm, X509 *leaf)
{
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, farm->ca);
	OCSP_CERTID *copy = OCSP_CERTID_dup(id);
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, -3600);
	ASN1_TIME *to = X509_gmtime_adj(NULL, 7L * DAY);
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int len;

	must(OCSP_request_add0_id(request, id) != NULL, "make a request");
	len = i2d_OCSP_REQUEST(request, &der);
	write_entry(farm, der, len);
	must(
	    OCSP_basic_add1_status(basic, copy, V_OCSP_CERTSTATUS_GOOD, 0, NULL,
		from, to) != NULL &&
		OCSP_basic_sign(basic, farm->signer, farm->signer_key,
		    EVP_sha256(), NULL, farm->delegate ? 0 : OCSP_NOCERTS) == 1,
	    "sign a response");
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	der = NULL;
	len = i2d_OCSP_RESPONSE(response, &der);
	write_entry(farm, der, len);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(request);
	OCSP_CERTID_free(copy);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
}

static void
make_leaf(const struct farm *farm, uint64_t number)
{
	char name[64], value[600];
	X509 *leaf;
	FILE *file;

	(void)snprintf(name, sizeof(name), "host%llu.farm.test",
	    (unsigned long long)number);
	/* as long as those of public CAs */
	leaf = make_cert(UINT64_C(0x7100000000000000) + number, name,
	    farm->leaf_key, farm->ca);
	(void)snprintf(value, sizeof(value), "DNS:%s", name);
	add_extension(leaf, farm->ca, NID_subject_alt_name, value);
	(void)snprintf(value, sizeof(value), "OCSP;URI:%s", farm->url);
	add_extension(leaf, farm->ca, NID_info_access, value);
	add_extension(
	    leaf, farm->ca, NID_key_usage, "critical,digitalSignature");
	add_extension(leaf, farm->ca, NID_ext_key_usage, "serverAuth");
	sign(farm, leaf);
	write_exchange(farm, leaf);
	(void)snprintf(
	    name, sizeof(name), "%llu.pem", (unsigned long long)number);
	file = open_file(farm, name);
	must(PEM_write_X509(file, leaf) == 1 &&
		 PEM_write_X509(file, farm->ca) == 1 && fclose(file) == 0,
	    "write a certificate");
	(void)fprintf(farm->list, "%s/%s\n", farm->dir, name);
	(void)fprintf(
	    farm->conf, "certificate \"%s/%s\" { }\n", farm->dir, name);
	X509_free(leaf);
}

int
main(int argc, char **argv)
{
	struct farm farm;
	unsigned long count;

	if (argc != 6) {
		(void)fprintf(stderr,
		    "usage: farm DIR COUNT ec|rsa direct|delegate URL\n");
		return 2;
	}
	count = strtoul(argv[2], NULL, 10);
	farm = (struct farm){.dir = argv[1],
	    .url = argv[5],
	    .ec = strcmp(argv[3], "ec") == 0,
	    .delegate = strcmp(argv[4], "delegate") == 0};
	must(count > 0 && count <= COUNT_MAX, "make so many");
	(void)mkdir(farm.dir, 0755);
	farm.table = open_file(&farm, "table");
	farm.list = open_file(&farm, "list");
	farm.conf = open_file(&farm, "oclasp.conf");
	make_authority(&farm);
	for (unsigned long i = 1; i <= count; i++)
		make_leaf(&farm, i);
	must(fclose(farm.table) == 0 && fclose(farm.list) == 0 &&
		 fclose(farm.conf) == 0,
	    "write the lists");
	if (farm.delegate) {
		X509_free(farm.signer);
		EVP_PKEY_free(farm.signer_key);
	}
	X509_free(farm.ca);
	EVP_PKEY_free(farm.ca_key);
	EVP_PKEY_free(farm.leaf_key);
	return 0;
}
