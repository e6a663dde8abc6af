/* courant split, join, hide, unhide: an operator's word on stories. */
#ifndef CORE_CLI_STORY_H
#define CORE_CLI_STORY_H

int	cli_split(int argc, char **argv);
int	cli_join(int argc, char **argv);
int	cli_hide(int argc, char **argv);
int	cli_unhide(int argc, char **argv);
#endif
