/* Is no plugin at all.
 * status: exports no cr_plugin_v1
 */
int no_plugin(void);

int
no_plugin(void)
{
	return 0;
}
