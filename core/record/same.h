/* The rule by which two records without a common key are told to be one story, or two. */
#ifndef CORE_SAME_H
#define CORE_SAME_H
#include "near.h"

#define SAME_WHY	160		/* bytes of a reason, with its NUL */

/* 1: the records tell one story; 0: they do not, or it cannot be told. one_source: both are of one
 * source, whose entries are nearly always different stories. The order of the two makes no
 * difference. why: the reason in words, for people ("equal titles, bodies overlap by 0.71"). The
 * bodies are read only when the titles do not decide. */
int	same_story(struct near_text *, struct near_text *, int one_source, char why[SAME_WHY]);
#endif
