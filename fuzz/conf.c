/* Configuration files: either a complaint of one line or a conf whose values can all be read. */
#include <assert.h>

#include "codec/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const modes[] = {"a", "b", NULL};
static const struct conf_key keys[] = {
    {.key = "text", .kind = CONF_STRING},
    {.key = "num", .kind = CONF_U64, .fallback = "1", .max = 100},
    {.key = "time", .kind = CONF_DURATION},
    {.key = "size", .kind = CONF_SIZE},
    {.key = "flag", .kind = CONF_BOOL},
    {.key = "mode", .kind = CONF_ENUM, .choices = modes},
};
static const struct conf_section sections[] = {
    {.name = "main", .keys = keys, .key_count = ARRAY_LEN(keys)},
    {.name = "node", .is_repeated = true, .keys = keys, .key_count = ARRAY_LEN(keys)},
};
static const struct conf_schema schema = {sections, ARRAY_LEN(sections)};

static void read_all(const struct conf *c, const char *section, size_t index)
{
    const char *text = conf_str(c, section, index, "text");

    assert(text == NULL || strlen(text) <= CONF_LINE_MAX);
    assert(conf_u64(c, section, index, "num") <= 100);
    (void)conf_u64(c, section, index, "time");
    (void)conf_u64(c, section, index, "size");
    (void)conf_bool(c, section, index, "flag");
    assert(conf_u64(c, section, index, "mode") <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[CONF_MESSAGE_MAX];
    struct conf *c;

    if (conf_parse(&c, message, (struct bytes){data, size}, "f", &schema) != TACIT_OK) {
        assert(c == NULL);
        return 0;
    }
    read_all(c, "main", 0);
    for (size_t i = 0; i < conf_count(c, "node"); i++)
        read_all(c, "node", i);
    conf_free(c);
    return 0;
}
