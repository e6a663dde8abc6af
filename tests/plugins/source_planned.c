/* source_planned: source_pages, beginning with the pages that its option `plan` names. */
#define PLANNED
#include "source_pages.c"
