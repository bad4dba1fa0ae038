/* SPDX-License-Identifier: ISC */
/* dns/message.c -- DNS messages: bytes to facts and back, by ldns as codec.
 *
 * Every address in the answer section is taken, whatever its owner and
 * whatever was asked: forgers answer TXT questions with an A record, and
 * leave the CNAME chain out.  It is a claim; the race judges it. */
#include "dns/message.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { QUESTION_COUNT_END = 6 }; /* RFC 1035, section 4.1.1: then the others' */

/* A name as the question wants it, or NULL.  Blanks, controls and raw octets
 * above ASCII are typing errors: ldns would put them on the wire. */
static ldns_rdf *
name_from_text(const char *text)
{
	ldns_rdf *name = NULL;

	if (*text == '\0' || *text == '.' ||
	    strnlen(text, DNS_NAME_TEXT) >= DNS_NAME_TEXT)
		return NULL;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			return NULL;
	}
	if (ldns_str2rdf_dname(&name, text) != LDNS_STATUS_OK)
		return NULL;
	/* RFC 1035, section 2.3.4: "names 255 octets or less" */
	if (ldns_rdf_size(name) > 255) {
		ldns_rdf_deep_free(name);
		return NULL;
	}
	return name;
}

int
dns_query_write_as(const char *name, enum dns_type type, uint16_t id,
    unsigned manner, uint8_t *out, size_t max, size_t *len, struct err *err)
{
	ldns_rdf *owner = name_from_text(name);
	ldns_pkt *query = NULL;
	uint8_t *wire = NULL;
	size_t size = 0;
	int rc = -1;

	if (owner == NULL)
		return err_set(err, REASON_DNS_NO_ANSWER,
		    "'%.300s' is no domain name; labels have 1 to 63 letters, "
		    "digits and hyphens, international ones begin with xn--",
		    name);
	query = ldns_pkt_query_new(owner, (ldns_rr_type)type, LDNS_RR_CLASS_IN,
	    (uint16_t)(((manner & DNS_NO_RD) != 0 ? 0 : LDNS_RD) |
		       ((manner & DNS_CD) != 0 ? LDNS_CD : 0)));
	if (query == NULL) {
		ldns_rdf_deep_free(owner);
		goto out;
	}
	ldns_pkt_set_id(query, id);
	if ((manner & DNS_NO_EDNS) == 0)
		ldns_pkt_set_edns_udp_size(query, DNS_EDNS_SIZE);
	if (ldns_pkt2wire(&wire, query, &size) != LDNS_STATUS_OK || size > max)
		goto out;
	memcpy(out, wire, size);
	*len = size;
	rc = 0;
out:
	if (rc == -1)
		err_set(err, REASON_DNS_NO_ANSWER,
		    "the question for '%.300s' does not fit into %zu bytes",
		    name, max);
	ldns_pkt_free(query);
	free(wire);
	return rc;
}

int
dns_query_write(const char *name, enum dns_type type, uint16_t id, uint8_t *out,
    size_t max, size_t *len, struct err *err)
{
	return dns_query_write_as(name, type, id, 0, out, max, len, err);
}

/* NAME as text without the final dot; false if it has none. */
static bool
name_to_text(const ldns_rdf *name, char out[DNS_NAME_TEXT])
{
	char *text = NULL;
	size_t len;

	if (name == NULL || ldns_rdf_get_type(name) != LDNS_RDF_TYPE_DNAME ||
	    ldns_rdf_size(name) > 255)
		return false;
	text = ldns_rdf2str(name);
	if (text == NULL)
		return false;
	len = strlen(text);
	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len >= DNS_NAME_TEXT) {
		free(text);
		return false;
	}
	memcpy(out, text, len);
	out[len] = '\0';
	free(text);
	return true;
}

static bool
chain_has(const struct dns_message *message, const char *name)
{
	if (strcasecmp(message->question, name) == 0)
		return true;
	for (size_t i = 0; i < message->chain_length; i++) {
		if (strcasecmp(message->chain[i], name) == 0)
			return true;
	}
	return false;
}

/* The target of the CNAME that OWNER has in ANSWER, or NULL. */
static const ldns_rdf *
alias_of(const ldns_rr_list *answer, const ldns_rdf *owner)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);
		const ldns_rdf *target = ldns_rr_rdf(rr, 0);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME &&
		    ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
		    target != NULL && ldns_rr_owner(rr) != NULL &&
		    ldns_dname_compare(ldns_rr_owner(rr), owner) == 0)
			return target;
	}
	return NULL;
}

/* A target that is compressed ends in the question's name, which we ask in
 * mixed case: to people and to whoever asks for it next it is one name. */
static void
to_lower_case(char *name)
{
	for (; *name != '\0'; name++) {
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name | 0x20);
	}
}

static void
read_chain(const ldns_rr_list *answer, const ldns_rdf *question,
    struct dns_message *message)
{
	const ldns_rdf *name = question;
	char text[DNS_NAME_TEXT];

	while (message->chain_length < DNS_CHAIN_MAX) {
		name = alias_of(answer, name);
		if (name == NULL || !name_to_text(name, text))
			return;
		message->loop = chain_has(message, text);
		if (message->loop)
			return;
		to_lower_case(text);
		memcpy(message->chain[message->chain_length++], text,
		    sizeof(text));
	}
}

static void
add_address(struct dns_message *message, const char *text)
{
	for (size_t i = 0; i < message->address_count; i++) {
		if (strcmp(message->addresses[i], text) == 0)
			return;
	}
	if (message->address_count == DNS_ADDRESSES_MAX)
		return;
	memcpy(message->addresses[message->address_count++], text,
	    strlen(text) + 1);
}

static void
read_addresses(const ldns_rr_list *answer, struct dns_message *message)
{
	char text[DNS_ADDRESS_TEXT];

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);
		const ldns_rdf *data = ldns_rr_rdf(rr, 0);
		ldns_rr_type type = ldns_rr_get_type(rr);
		int family = AF_UNSPEC;

		if (data == NULL || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
			continue;
		if (type == LDNS_RR_TYPE_A && ldns_rdf_size(data) == 4)
			family = AF_INET;
		else if (type == LDNS_RR_TYPE_AAAA && ldns_rdf_size(data) == 16)
			family = AF_INET6;
		else
			continue;
		if (inet_ntop(family, ldns_rdf_data(data), text,
			sizeof(text)) != NULL)
			add_address(message, text);
	}
}

static void
read_servers(const ldns_rr_list *answer, const ldns_rdf *question,
    struct dns_message *message)
{
	char text[DNS_NAME_TEXT];

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer) &&
			   message->server_count < DNS_SERVERS_MAX;
	     i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);
		const ldns_rdf *data = ldns_rr_rdf(rr, 0);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NS ||
		    ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || data == NULL ||
		    ldns_rr_owner(rr) == NULL ||
		    ldns_dname_compare(ldns_rr_owner(rr), question) != 0 ||
		    !name_to_text(data, text))
			continue;
		to_lower_case(text);
		memcpy(message->servers[message->server_count++], text,
		    sizeof(text));
	}
}

/* The info-code of an Extended DNS Error, RFC 8914, section 2; -1: none. */
static int
read_ede(ldns_pkt *packet)
{
	ldns_edns_option_list *list = ldns_pkt_edns_get_option_list(packet);

	for (size_t i = 0; i < ldns_edns_option_list_get_count(list); i++) {
		const ldns_edns_option *option =
		    ldns_edns_option_list_get_option(list, i);
		const uint8_t *data = ldns_edns_get_data(option);

		if (ldns_edns_get_code(option) == LDNS_EDNS_EDE &&
		    ldns_edns_get_size(option) >= 2)
			return data[0] << 8 | data[1];
	}
	return -1;
}

/* What only a diagnosis looks at. */
static void
read_oddities(const ldns_rr_list *answer, const ldns_rr *question,
    struct dns_message *message)
{
	bool addresses = message->question_type == DNS_A ||
			 message->question_type == DNS_AAAA ||
			 message->question_type == LDNS_RR_TYPE_ANY;

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);
		ldns_rr_type type = ldns_rr_get_type(rr);
		int64_t ttl = ldns_rr_ttl(rr);

		if (message->ttl_s < 0 || ttl < message->ttl_s)
			message->ttl_s = ttl;
		if (!addresses && question != NULL &&
		    (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA) &&
		    ldns_dname_compare(
			ldns_rr_owner(rr), ldns_rr_owner(question)) == 0)
			message->wrong_type = true;
	}
}

/* The facts of PACKET; -1 if its question is not one that we could ask. */
static int
read_packet(ldns_pkt *packet, struct dns_message *out, struct err *err)
{
	const ldns_rr_list *questions = ldns_pkt_question(packet);
	const ldns_rr_list *answer = ldns_pkt_answer(packet);
	const ldns_rr *question = NULL;

	/* RFC 9619, section 4: "the QDCOUNT parameter ... MUST NOT be greater
	 * than 1" */
	if (ldns_rr_list_rr_count(questions) > 1)
		return err_set(err, REASON_DNS_NO_ANSWER,
		    "malformed DNS message: %zu questions",
		    ldns_rr_list_rr_count(questions));
	if (ldns_pkt_get_opcode(packet) != LDNS_PACKET_QUERY)
		return err_set(err, REASON_DNS_NO_ANSWER,
		    "malformed DNS message: opcode %d is no query's",
		    (int)ldns_pkt_get_opcode(packet));

	out->id = ldns_pkt_id(packet);
	out->response = ldns_pkt_qr(packet);
	out->truncated = ldns_pkt_tc(packet);
	out->authoritative = ldns_pkt_aa(packet);
	out->recursion = ldns_pkt_ra(packet);
	out->edns = ldns_pkt_edns(packet);
	out->ede = read_ede(packet);
	out->ttl_s = -1;
	out->rcode = (int)ldns_pkt_get_rcode(packet);
	if (out->edns) /* RFC 6891, section 6.1.3: the upper 8 bits */
		out->rcode |= ldns_pkt_edns_extended_rcode(packet) << 4;
	if (ldns_rr_list_rr_count(questions) == 1)
		question = ldns_rr_list_rr(questions, 0);
	if (question != NULL &&
	    ldns_rr_get_class(question) == LDNS_RR_CLASS_IN &&
	    name_to_text(ldns_rr_owner(question), out->question)) {
		out->question_type = (uint16_t)ldns_rr_get_type(question);
		read_chain(answer, ldns_rr_owner(question), out);
		read_servers(answer, ldns_rr_owner(question), out);
	}
	read_addresses(answer, out);
	read_oddities(answer, question, out);
	return 0;
}

/* RFC 2181, section 9: who gets a reply with TC "should ignore that response, and
 * query again"; some such replies end within a record.  Then it is its question
 * alone. */
static ldns_status
read_wire(ldns_pkt **packet, const uint8_t *bytes, size_t len)
{
	ldns_status status = ldns_wire2pkt(packet, bytes, len);
	uint8_t *cut;

	if (status == LDNS_STATUS_OK || len < LDNS_HEADER_SIZE ||
	    !LDNS_TC_WIRE(bytes))
		return status;
	cut = mem_copy(bytes, len);
	memset(
	    cut + QUESTION_COUNT_END, 0, LDNS_HEADER_SIZE - QUESTION_COUNT_END);
	status = ldns_wire2pkt(packet, cut, len);
	free(cut);
	return status;
}

int
dns_message_parse(
    const uint8_t *bytes, size_t len, struct dns_message *out, struct err *err)
{
	struct dns_message message = {0}; /* 20 KB: fine on our stacks */
	ldns_pkt *packet = NULL;
	ldns_status status;
	int rc;

	if (len > DNS_MESSAGE_MAX)
		return err_set(err, REASON_DNS_NO_ANSWER,
		    "malformed DNS message: %zu bytes are too many", len);
	status = read_wire(&packet, bytes, len);
	if (status != LDNS_STATUS_OK)
		return err_set(err, REASON_DNS_NO_ANSWER,
		    "malformed DNS message of %zu bytes: %s", len,
		    ldns_get_errorstr_by_id(status));
	rc = read_packet(packet, &message, err);
	if (rc == 0)
		*out = message;
	ldns_pkt_free(packet);
	return rc;
}

bool
dns_message_answers(const struct dns_message *message, uint16_t id,
    const char *name, enum dns_type type)
{
	ldns_rdf *asked = NULL;
	ldns_rdf *answered = NULL;
	bool same = false;

	if (!message->response || message->id != id ||
	    message->question_type != (uint16_t)type)
		return false;
	/* Compared as names, not as text: "\097" and "a" are the same. */
	asked = name_from_text(name);
	answered = name_from_text(message->question);
	if (asked != NULL && answered != NULL)
		same = ldns_dname_compare(asked, answered) == 0;
	ldns_rdf_deep_free(asked);
	ldns_rdf_deep_free(answered);
	return same;
}

bool
dns_message_echoes(const struct dns_message *message, const char *name)
{
	ldns_rdf *asked = name_from_text(name);
	ldns_rdf *answered = name_from_text(message->question);
	bool same = asked != NULL && answered != NULL &&
		    ldns_rdf_size(asked) == ldns_rdf_size(answered) &&
		    memcmp(ldns_rdf_data(asked), ldns_rdf_data(answered),
			ldns_rdf_size(asked)) == 0;

	ldns_rdf_deep_free(asked);
	ldns_rdf_deep_free(answered);
	return same;
}

const char *
dns_type_name(unsigned type)
{
	static const struct {
		enum dns_type type;
		const char *name;
	} names[] = {
	    {DNS_A, "A"},
	    {DNS_NS, "NS"},
	    {DNS_CNAME, "CNAME"},
	    {DNS_TXT, "TXT"},
	    {DNS_AAAA, "AAAA"},
	    {DNS_HTTPS, "HTTPS"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return "?";
}
