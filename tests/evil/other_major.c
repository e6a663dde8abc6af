/* Was made for another major version of the contract.
 * status: major version 2
 */
#include <stddef.h>

extern const struct later { size_t size; } cr_plugin_v2;
const struct later __attribute__((visibility("default"))) cr_plugin_v2 = { sizeof(cr_plugin_v2) };
