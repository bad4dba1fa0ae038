/* SPDX-License-Identifier: ISC */
/* http/multi.h -- libcurl's multi interface, driven by the loop.
 *
 * libcurl says which sockets and which moment it waits for, libuv waits; that
 * is all there is to know here.  What is fetched, and how, is fetch.c. */
#ifndef OCLASP_HTTP_MULTI_H
#define OCLASP_HTTP_MULTI_H

#include <stdbool.h>
#include <curl/curl.h>
#include <uv.h>

struct multi;

/* DONE comes once for each handle added and not removed, with the handle
 * already out of the multi; never from within multi_add. */
struct multi *multi_new(
    uv_loop_t *loop, void (*done)(CURL *easy, CURLcode code));

/* Every handle must have been removed.  May be called from within DONE. */
void multi_free(struct multi *multi);

/* Start the transfer of EASY, which stays the caller's. */
CURLMcode multi_add(struct multi *multi, CURL *easy);

/* Stop it; closes a connection that is in use. */
void multi_remove(struct multi *multi, CURL *easy);

#endif
