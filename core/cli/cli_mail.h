/* courant mail. */
#ifndef CORE_CLI_MAIL_H
#define CORE_CLI_MAIL_H
int	cli_mail(int argc, char **argv);
#endif
