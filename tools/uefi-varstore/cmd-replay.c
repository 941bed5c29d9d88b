/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: the requests of a capture once more, and where the answers
 * differ
 */

#include "qemu/osdep.h"
#include "tool.h"
#include "hw/uefi/var-service-api.h"
#include "hw/uefi/var-service-edk2.h"
#include "hw/uefi/var-service-pcap.h"

/* The largest packet: a type and all of an exchange buffer */
#define PACKET_MAX  (UEFI_PCAP_TYPE_SIZE + UEFI_VARS_MAX_BUFFER_SIZE)

static char *replay_store;

/* A capture that is being read */
typedef struct Capture {
    const char *path;
    const uint8_t *data;
    size_t size;
    size_t pos;
    bool swapped;           /* the other order of bytes */
    unsigned packet;        /* number of the last one, from 1 on as others do */
    uint32_t type;          /* of it */
    const uint8_t *message;
    size_t message_size;    /* bytes */
} Capture;

typedef struct Replay {
    Capture capture;
    UefiVarService *uv;
    uint8_t reply[UEFI_VARS_MAX_BUFFER_SIZE];
    size_t reply_size;      /* bytes; 0 when the device would refuse */
    unsigned request;       /* its packet; 0 when there is none to answer */
    unsigned requests, resets, differences;
} Replay;

/* ------------------------------------------------------------------------ */
/* The file */

static uint32_t get32(const Capture *c, const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return c->swapped ? GUINT32_SWAP_LE_BE(value) : value;
}

static bool read_header(Capture *c)
{
    if (c->size < UEFI_PCAP_FILE_HEADER) {
        tool_fail("%s: not a capture", c->path);
        return false;
    }
    c->swapped = get32(c, c->data) == GUINT32_SWAP_LE_BE(UEFI_PCAP_MAGIC);
    if (get32(c, c->data) != UEFI_PCAP_MAGIC) {
        tool_fail("%s: not a capture in the classic pcap format", c->path);
        return false;
    }
    if (get32(c, c->data + 20) != UEFI_PCAP_LINKTYPE) {
        tool_fail("%s: a capture of link type %" PRIu32 ", not %d", c->path,
                  get32(c, c->data + 20), UEFI_PCAP_LINKTYPE);
        return false;
    }
    c->pos = UEFI_PCAP_FILE_HEADER;
    return true;
}

/* False at the end, or with @damaged set and said */
static bool next_packet(Capture *c, bool *damaged)
{
    const uint8_t *at = c->data + c->pos;
    size_t left = c->size - c->pos, length;

    if (left == 0) {
        return false;
    }
    c->packet++;
    length = left < UEFI_PCAP_PACKET_HEADER ? 0 : get32(c, at + 8);
    if (length < UEFI_PCAP_TYPE_SIZE || length > PACKET_MAX ||
        length != get32(c, at + 12) ||
        length > left - UEFI_PCAP_PACKET_HEADER) {
        *damaged = true;
        tool_fail("%s: packet %u is not whole", c->path, c->packet);
        return false;
    }
    at += UEFI_PCAP_PACKET_HEADER;
    c->type = get32(c, at);
    c->message = at + UEFI_PCAP_TYPE_SIZE;
    c->message_size = length - UEFI_PCAP_TYPE_SIZE;
    c->pos += UEFI_PCAP_PACKET_HEADER + length;
    return true;
}

/* ------------------------------------------------------------------------ */
/* Answers */

/* The status in a message of the variable protocol, as far as there is one */
static uint64_t status_of(const uint8_t *message, size_t size)
{
    uint64_t status;

    if (size < EFI_MM_HEADER_SIZE_64 + 16) {
        return 0;
    }
    memcpy(&status, message + EFI_MM_HEADER_SIZE_64 + 8, sizeof(status));
    return GUINT64_FROM_LE(status);
}

static void print_request(const Replay *r)
{
    const UefiVarAnswer *answer = &r->uv->answer;

    printf("packet %u: ", r->request);
    if (r->reply_size && answer->request) {
        g_autofree char *name = answer->name ? uefi_str_print(answer->name)
                                             : g_strdup("");
        g_autofree char *shown = tool_printable(name);

        printf("%s%s%s: ", answer->request, *shown ? " " : "", shown);
    }
}

static void print_ours(const Replay *r)
{
    if (r->reply_size) {
        printf("here 0x%" PRIx64 " (%s)\n", status_of(r->reply, r->reply_size),
               uefi_reason_text(r->uv->answer.reason));
    } else {
        printf("here no answer\n");
    }
}

/* @message: the reply of the capture, or NULL for none */
static void compare(Replay *r, const uint8_t *message, size_t size)
{
    size_t at = 0;

    if (!r->request) {
        return;
    }
    if ((message ? size : 0) != r->reply_size ||
        (message && memcmp(message, r->reply, size))) {
        r->differences++;
        print_request(r);
        if (!message) {
            printf("captured no answer, ");
            print_ours(r);
        } else if (size != r->reply_size ||
                   status_of(message, size) != status_of(r->reply, size)) {
            printf("captured 0x%" PRIx64 ", ", status_of(message, size));
            print_ours(r);
        } else {
            while (message[at] == r->reply[at]) {
                at++;
            }
            printf("the same status, 0x%" PRIx64 ", but byte %zu of the "
                   "message is 0x%02x, here 0x%02x\n",
                   status_of(message, size), at, message[at], r->reply[at]);
        }
    }
    r->request = 0;
}

static void ask(Replay *r)
{
    const Capture *c = &r->capture;
    size_t size = uefi_vars_message_size(c->message, c->message_size,
                                         c->message_size);

    r->requests++;
    r->request = c->packet;
    r->reply_size = 0;
    if (size == 0) {
        return;
    }
    memcpy(r->reply, c->message, size);
    if (uefi_vars_message(r->uv, r->reply, size, UEFI_VARS_MAX_BUFFER_SIZE) ==
        UEFI_VARS_STS_SUCCESS) {
        r->reply_size = size;
    }
}

static bool step(Replay *r)
{
    const Capture *c = &r->capture;

    if (c->type == UEFI_PCAP_REPLY) {
        if (!r->request) {
            tool_fail("%s: packet %u answers nothing", c->path, c->packet);
            return false;
        }
        compare(r, c->message, c->message_size);
        return true;
    }
    compare(r, NULL, 0);
    if (c->type == UEFI_PCAP_REQUEST) {
        ask(r);
    } else if (c->type == UEFI_PCAP_RESET) {
        r->resets++;
        uefi_vars_hard_reset(r->uv);
    } else {
        tool_fail("%s: packet %u is of unknown type %" PRIu32, c->path,
                  c->packet, c->type);
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------------ */
/* Command */

static int replay(UefiVarService *uv, const char *path, GBytes *file)
{
    g_autofree Replay *r = g_new0(Replay, 1);
    bool damaged = false;

    r->uv = uv;
    r->capture.path = path;
    r->capture.data = g_bytes_get_data(file, &r->capture.size);
    if (!read_header(&r->capture)) {
        return TOOL_FAILED;
    }
    while (next_packet(&r->capture, &damaged)) {
        if (!step(r)) {
            return TOOL_FAILED;
        }
    }
    /* The last reply of a guest that was killed may be missing. */
    if (damaged) {
        return TOOL_FAILED;
    }
    printf("%u requests, %u resets, %u answers differ\n", r->requests,
           r->resets, r->differences);
    return r->differences ? TOOL_FAILED : TOOL_OK;
}

static int run_replay(char **args)
{
    UefiVarConfig config = uefi_vars_default_config();
    g_autoptr(UefiVarService) blank = NULL;
    g_autoptr(ToolStore) s = NULL;
    g_autoptr(GBytes) file = tool_read_file(args[0]);

    if (!file) {
        return TOOL_FAILED;
    }
    if (replay_store) {
        s = tool_open(replay_store, TOOL_READ);
        if (!s) {
            return TOOL_FAILED;
        }
        tool_configure(s);
        return replay(s->uv, args[0], file);
    }
    config.limits.nv_size = tool_options.size;
    config.limits.hwerr_quota = tool_options.hwerr_quota;
    blank = uefi_vars_new(&config, NULL, NULL);
    return replay(blank, args[0], file);
}

static const GOptionEntry replay_options[] = {
    { "store", 0, 0, G_OPTION_ARG_FILENAME, &replay_store,
      "The store with which the capture begins; blank by default", "FILE" },
    TOOL_OPTION_SIZE, TOOL_OPTION_HWERR_QUOTA, { }
};

const ToolCommand tool_cmd_replay = {
    .name = "replay",
    .arguments = "CAPTURE",
    .summary = "Ask the requests of a capture again; show other answers.",
    .options = replay_options,
    .min_args = 1,
    .max_args = 1,
    .run = run_replay,
};
