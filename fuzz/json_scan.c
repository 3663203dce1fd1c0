/* JSON scan: whatever is accepted can be walked within bounds, is accepted again part by part, and
 * is read alike by jansson; whatever the writer writes of it is accepted. */
#include <assert.h>

#include "codec/jscan.h"
#include "codec/json.h"
#include "codec/jwrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct jval v)
{
    struct jiter it = jscan_iter(v);
    struct buf text = buf_make(1 << 20);
    struct jval name;
    struct jval val;
    struct jval again;

    if (v.type == JVAL_STRING) {
        assert(jscan_str_copy(&text, v) == TACIT_OK);
        assert(jscan_str_eq(v, buf_bytes(&text)));
    } else if (v.type == JVAL_NUMBER) {
        jw_put_js_number(&text, v.raw);
        assert(text.failed || jscan_validate(&again, NULL, buf_bytes(&text)) == TACIT_OK);
    }
    buf_done(&text);
    while (jscan_next(&it, &name, &val)) {
        assert(jscan_validate(&again, NULL, val.raw) == TACIT_OK);
        assert(again.type == val.type && again.raw.len == val.raw.len);
        walk(val);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct json *tree;
    struct jval root;

    if (size > 65536 || jscan_validate(&root, NULL, in) != TACIT_OK)
        return 0;
    walk(root);
    if (json_parse(&tree, in) == TACIT_OK) {
        struct buf text = buf_make(1 << 20);

        assert(json_write(&text, tree, false) == TACIT_OK);
        assert(jscan_validate(&root, NULL, buf_bytes(&text)) == TACIT_OK);
        buf_done(&text);
        json_free(tree);
    }
    return 0;
}
