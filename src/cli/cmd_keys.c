/* `tacit keys`: API keys of a gateway, made, listed and revoked in its store. A running gateway
 * sees the change within a second. The key's text is printed once and kept nowhere. */
#include "cli/commands.h"

#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utc.h"
#include "store/store.h"

static int usage(FILE *to, int code)
{
    fputs("usage: tacit keys create --state DIR [--name NAME] [--days N]\n"
          "       tacit keys list   --state DIR\n"
          "       tacit keys revoke --state DIR ID_OR_PREFIX\n\n"
          "DIR is the state folder named in the gateway's configuration.\n",
          to);
    return code;
}

static int failed(const char *what, enum tacit_err err)
{
    fprintf(stderr, "tacit keys: %s: %s\n", what, tacit_err_text(err));
    return 1;
}

static int create(struct store *s, const char *name, uint64_t days)
{
    struct store_key key;
    char text[STORE_KEY_TEXT_LEN + 1];
    int64_t now = clock_unix_s();
    enum tacit_err err =
        store_key_create(s, &key, text, name, now, days == 0 ? 0 : now + (int64_t)days * 86400);

    if (err != TACIT_OK)
        return failed("cannot create the key", err);
    printf("%s\n", text);
    explicit_bzero(text, sizeof(text));
    return 0;
}

static void print_key(const struct store_key *key, void *ctx)
{
    char created[UTC_TEXT_LEN + 1];
    char expires[UTC_TEXT_LEN + 1] = "never";

    UNUSED(ctx);
    utc_format(created, key->created_unix_s);
    if (key->expires_unix_s != 0)
        utc_format(expires, key->expires_unix_s);
    printf("%s  %s…  %-8s  created %s  expires %s  %s\n", key->id, key->prefix,
           key->revoked_unix_s != 0 ? "revoked" : "active", created, expires, key->name);
}

static int list(struct store *s)
{
    enum tacit_err err = store_key_each(s, print_key, NULL);

    return err == TACIT_OK ? 0 : failed("cannot list keys", err);
}

static int revoke(struct store *s, const char *id)
{
    enum tacit_err err = store_key_revoke(s, id, clock_unix_s());

    if (err == TACIT_EXISTS)
        fputs("tacit keys: several keys have this prefix; give the id (tacit keys list)\n", stderr);
    else if (err != TACIT_OK)
        return failed("cannot revoke the key", err);
    return err == TACIT_OK ? 0 : 1;
}

struct keys_args {
    const char *state;
    const char *name;
    uint64_t days;
};

static bool args_read(struct keys_args *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"state", required_argument, NULL, 's'},
        {"name", required_argument, NULL, 'n'},
        {"days", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *out = (struct keys_args){NULL, "unnamed", 0};
    while ((c = getopt_long(argc, argv, "s:n:d:", options, NULL)) != -1) {
        if (c == 's')
            out->state = optarg;
        else if (c == 'n')
            out->name = optarg;
        else if (c != 'd' || !bytes_to_u64(&out->days, bytes_of(optarg), 36500))
            return false;
    }
    return out->state != NULL;
}

static int run(struct store *s, const char *verb, const struct keys_args *args, int argc,
               char **argv)
{
    int left = argc - optind;

    if (strcmp(verb, "create") == 0 && left == 0)
        return create(s, args->name, args->days);
    if (strcmp(verb, "list") == 0 && left == 0)
        return list(s);
    if (strcmp(verb, "revoke") == 0 && left == 1)
        return revoke(s, argv[optind]);
    return usage(stderr, 2);
}

int cmd_keys(int argc, char **argv)
{
    struct keys_args args;
    struct store *s;
    char path[4096];
    char why[256];
    int code;

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout, 0);
    if (argc < 2 || !args_read(&args, argc - 1, argv + 1))
        return usage(stderr, 2);
    if (snprintf(path, sizeof(path), "%s/gateway.db", args.state) >= (int)sizeof(path))
        return failed("state folder", TACIT_LIMIT);
    if (store_open(&s, path, why) != TACIT_OK) {
        fprintf(stderr, "tacit keys: %s\n", why);
        return 1;
    }
    code = run(s, argv[1], &args, argc - 1, argv + 1);
    store_close(s);
    return code;
}
