/* The fields of a frame: fixed-size integers in host order (the processes share a machine), and
 * strings as u32 length, bytes, NUL. Structs are written and read by a table of their members. */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Reading: anything out of bounds sets `bad`, and from then on all reads give 0 or NULL. */
struct wire {
	const unsigned char	*at, *end;
	int			 bad;
};

void		 wire_init(struct wire *, const void *, size_t);
uint8_t		 wire_u8(struct wire *);
uint32_t	 wire_u32(struct wire *);
uint64_t	 wire_u64(struct wire *);
int64_t		 wire_i64(struct wire *);
double		 wire_f64(struct wire *);
const char	*wire_str(struct wire *);		/* NULL when NULL was put; no NUL inside */
struct bytes	 wire_bytes(struct wire *);
int		 wire_end(const struct wire *);	/* 0: all was read and `bad` is not set; else -1 */

void	wire_put_u8(struct buf *, uint8_t);
void	wire_put_u32(struct buf *, uint32_t);
void	wire_put_i64(struct buf *, int64_t);
void	wire_put_f64(struct buf *, double);
void	wire_put_str(struct buf *, const char *);	/* NULL is read as NULL */
void	wire_put_bytes(struct buf *, const void *, size_t);

/* A struct that is sent is defined by a list of its members, F(s, TYPE, name) each, in the order in
 * which they are sent; from the list both the struct and its table are made. The table ends with
 * WIRE_END_. */
enum wire_type { WIRE_END_, WIRE_U32, WIRE_U64, WIRE_I64, WIRE_F64, WIRE_STR, WIRE_BYTES };
struct wire_field {
	enum wire_type	 type;
	size_t		 offset;
};
#define WIRE_C_U32	uint32_t
#define WIRE_C_U64	uint64_t
#define WIRE_C_I64	int64_t
#define WIRE_C_F64	double
#define WIRE_C_STR	const char *
#define WIRE_C_BYTES	struct bytes
#define WIRE_MEMBER(s, t, m)	WIRE_C_##t m;
#define WIRE_ROW(s, t, m)	{ WIRE_##t, offsetof(struct s, m) },
#define WIRE_STRUCT(s, FIELDS)	struct s { FIELDS(WIRE_MEMBER, s) }; extern const struct wire_field s[]
#define WIRE_TABLE(s, FIELDS)	const struct wire_field s[] = { FIELDS(WIRE_ROW, s) { WIRE_END_, 0 } }

void	wire_put(struct buf *, const struct wire_field *, const void *);
/* Strings and bytes of the struct point into the frame. */
void	wire_get(struct wire *, const struct wire_field *, void *);
/* The struct that all the bytes are. 0; -1: malformed, or there is more. */
int	wire_whole(const void *, size_t, const struct wire_field *, void *);
#endif
