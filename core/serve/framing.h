/* Where HTTP requests on a connection begin and end (RFC 9112), by its bytes: a request that another
 * reader could see end elsewhere is refused (request smuggling, RFC 9112 11.2). evhttp forgives many
 * such requests; serve answers none that framing did not see come to its end. */
#ifndef CORE_FRAMING_H
#define CORE_FRAMING_H
#include <stddef.h>
#include <stdint.h>

#define FRAMING_TEXT		280	/* bytes of a host with its scheme and port */
#define FRAMING_EXTENSION	128	/* bytes of the extensions of one chunk */

/* Zeros: a connection that has sent nothing. All but wrong and requests is framing.c's own. */
struct framing {
	const char	*wrong;		/* what is wrong with the request `requests`, counted from
					 * 0; NULL: nothing */
	uint64_t	 requests;	/* whose last byte was seen */

	unsigned	 state;
	uint64_t	 left;		/* bytes of the body or chunk; a chunk's size */
	unsigned	 digits;	/* of a chunk's size; bytes of its extensions */
	size_t		 len;		/* of text; beyond FRAMING_TEXT what does not fit */
	char		 text[FRAMING_TEXT];	/* the word that is being read */
	char		 authority[FRAMING_TEXT];	/* of a target in the absolute form */
	char		 host[FRAMING_TEXT];
	unsigned	 minor;		/* of the version HTTP/1.minor */
	unsigned	 field;		/* the header whose value is being read */
	unsigned	 hosts, lengths, codings;	/* lines of these headers */
	int		 may_have_body, no_body, absolute, trailers;
};

/* Reads the next bytes. Blanks those that evhttp misreads without need: the extensions of chunks,
 * and tabs before a header's value. Linear; keeps no more than the struct. */
void	framing_read(struct framing *, char *bytes, size_t n);
#endif
