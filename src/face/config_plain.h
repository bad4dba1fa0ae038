/* SPDX-License-Identifier: ISC */
/* face/config_plain.h -- a configuration's text without its comments.
 *
 * Pure.  libConfuse 3.3 counts a comment for several lines and takes none
 * within a list; and after a text that ends within a comment or a string it
 * reads the next one, at a reload, as if it were still there. */
#ifndef OCLASP_FACE_CONFIG_PLAIN_H
#define OCLASP_FACE_CONFIG_PLAIN_H

/* Blank the comments of TEXT; its lines stay where they are.  NULL, or what is
 * wrong with a comment or a string, in *LINE. */
const char *config_plain(char *text, int *line);

#endif
