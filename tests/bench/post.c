/* The baseline of webhooks: POSTs each body of a file (u32 length, bytes) to a URL by one libcurl easy
 * handle, so that the connection is kept. Prints how many were answered by 2xx. */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>

#define BODY_MAX	(16u << 20)

static size_t
discard(char *p, size_t one, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return one * n;
}

int
main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[2], "rb") : NULL;
	CURL *c = curl_easy_init();
	struct curl_slist *lines = curl_slist_append(NULL, "Content-Type: application/json");
	static char body[BODY_MAX];
	unsigned long good = 0;
	uint32_t len;
	long status;

	if (in == NULL || c == NULL || lines == NULL)
		return 1;
	lines = curl_slist_append(lines, "Expect:");
	curl_easy_setopt(c, CURLOPT_URL, argv[1]);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, discard);
	while (fread(&len, sizeof(len), 1, in) == 1 && len < BODY_MAX &&
	    fread(body, 1, len, in) == len) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)len);
		if (curl_easy_perform(c) != CURLE_OK)
			return 1;
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		good += status >= 200 && status < 300;
	}
	printf("%lu\n", good);
	curl_slist_free_all(lines);
	curl_easy_cleanup(c);
	fclose(in);
	return 0;
}
