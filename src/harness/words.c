// SPDX-License-Identifier: GPL-2.0-only
#include "harness/words.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int words_add(struct words *w, const char *word)
{
	char **grown = realloc(w->list, (w->count + 2) * sizeof(*grown));

	if (!grown)
		return err_new(-ENOMEM, "out of memory for \"%s\"", word);
	w->list = grown;
	grown[w->count + 1] = NULL;
	grown[w->count] = strdup(word);
	if (!grown[w->count])
		return err_new(-ENOMEM, "out of memory for \"%s\"", word);
	w->count++;
	return 0;
}

void words_deinit(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->list[i]);
	free(w->list);
	*w = WORDS_NULL;
}

/* Take one word from *@p, which is at its first character, and leave *@p behind it. */
static int take_word(const char **p, struct buf *word)
{
	char quote = 0;

	for (; **p && (quote || **p != ' '); ++*p) {
		char c = **p;

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			continue;
		}
		if (c == '\\' && quote != '\'') {
			if (!*++*p)
				return err_new(-EINVAL, "nothing follows the last \\");
			c = **p;
		}
		buf_add(word, &c, 1);
	}
	return quote ? err_new(-EINVAL, "a %c is not closed", quote) : buf_ok(word);
}

int words_add_line(struct words *w, const char *text)
{
	for (;;) {
		cleanup(buf_deinit) struct buf word = BUF_NULL;
		int r;

		text += strspn(text, " ");
		if (!*text)
			return 0;
		r = take_word(&text, &word);
		if (r == 0)
			r = words_add(w, buf_text(&word));
		if (r < 0)
			return err_trace(r);
	}
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool has_control(const char *word)
{
	while (*word && !is_control(*word))
		word++;
	return *word;
}

static bool is_plain(const char *word)
{
	if (!*word)
		return false;
	for (; *word; word++)
		if (!isalnum((unsigned char)*word) && !strchr("_-+./=:,@%", *word))
			return false;
	return true;
}

void words_quote(struct buf *out, const char *word)
{
	bool is_escaped = has_control(word);

	if (is_plain(word)) {
		buf_str(out, word);
		return;
	}
	buf_str(out, is_escaped ? "$'" : "'");
	for (; *word; word++) {
		if (is_control(*word))
			buf_printf(out, "\\%03o", (unsigned char)*word);
		else if (is_escaped && (*word == '\'' || *word == '\\'))
			buf_printf(out, "\\%c", *word);
		else if (*word == '\'')
			buf_str(out, "'\\''");
		else
			buf_add(out, word, 1);
	}
	buf_str(out, "'");
}
