/* source_planned: source_pages, beginning with the pages that its option `plan` names. */
#define PLANNED
/* NOLINTNEXTLINE(bugprone-suspicious-include): one plugin, built in two ways */
#include "source_pages.c"
