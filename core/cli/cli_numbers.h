/* A map from positive numbers to numbers. */
#ifndef CORE_CLI_NUMBERS_H
#define CORE_CLI_NUMBERS_H
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct numbers {
	struct { int64_t key, value; } *slot;
	size_t	 n, cap;
};

void	numbers_free(struct numbers *);
void	numbers_set(struct numbers *, int64_t key, int64_t value);
int64_t	numbers_get(const struct numbers *, int64_t key);	/* 0: was not set */
#endif
