/* A plugin's description as JSON. */
#ifndef CORE_PLUGIN_JSON_H
#define CORE_PLUGIN_JSON_H
#include <jansson.h>
#include <stdint.h>

struct plugin;

/* The whole description, and whether the plugin can be used ("good"). granted: the grants (enum
 * cr_wants) that the operator gave it; NULL: not known here. The caller owns the JSON. */
json_t	*plugin_json(const struct plugin *, const uint32_t *granted);
#endif
