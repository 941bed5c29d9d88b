/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uefi-varstore: images of UEFI programs: their Authenticode hash, signatures
 * and sections (Microsoft's PE format and Authenticode specifications)
 */

#include "qemu/osdep.h"
#include "tool.h"

#define DOS_NEW_HEADER      0x3c    /* u32: where the PE header is */
#define COFF_SIZE           24      /* "PE\0\0" and the COFF header, bytes */
#define SECTION_SIZE        40
#define MAX_SECTIONS        96

#define OPTIONAL_MAGIC_32   0x10b
#define OPTIONAL_MAGIC_64   0x20b
#define HEADERS_SIZE        60      /* in the optional header: u32 */
#define CHECKSUM            64      /* the same */
#define SECURITY_ENTRY      4       /* of the data directory */

#define WIN_CERT_SIZE       8       /* its header, bytes */
#define WIN_CERT_PKCS       2       /* type */

/* Parts of the file, all within it; offsets in bytes */
typedef struct Layout {
    size_t checksum;
    size_t security;            /* the entry; 0: there is none */
    size_t headers;             /* size of all headers */
    size_t sections;            /* the table */
    unsigned n_sections;
    size_t certs;               /* table of signatures */
    size_t certs_size;
} Layout;

static UefiMsg at(GBytes *image, size_t pos)
{
    UefiMsg msg;

    uefi_msg_init(&msg, (void *)g_bytes_get_data(image, NULL),
                  g_bytes_get_size(image), 8);
    uefi_msg_seek(&msg, pos);
    return msg;
}

static uint32_t get_u32(GBytes *image, size_t pos)
{
    UefiMsg msg = at(image, pos);

    return uefi_msg_get_u32(&msg);
}

static uint16_t get_u16(GBytes *image, size_t pos)
{
    UefiMsg msg = at(image, pos);

    return uefi_msg_get_u16(&msg);
}

static bool read_layout(GBytes *image, Layout *l)
{
    size_t size = g_bytes_get_size(image);
    size_t pe = get_u32(image, DOS_NEW_HEADER);
    size_t optional = pe + COFF_SIZE, directory;
    uint16_t magic = get_u16(image, optional);
    bool is_64 = magic == OPTIONAL_MAGIC_64;

    if (get_u16(image, 0) != 0x5a4d || get_u32(image, pe) != 0x4550 ||
        (!is_64 && magic != OPTIONAL_MAGIC_32)) {
        return false;
    }
    directory = optional + (is_64 ? 112 : 96);
    l->checksum = optional + CHECKSUM;
    l->headers = get_u32(image, optional + HEADERS_SIZE);
    l->sections = optional + get_u16(image, pe + 20);
    l->n_sections = get_u16(image, pe + 6);
    l->security = 0;
    l->certs = l->certs_size = 0;
    if (get_u32(image, directory - 4) > SECURITY_ENTRY) {
        l->security = directory + 8 * SECURITY_ENTRY;
        l->certs = get_u32(image, l->security);
        l->certs_size = get_u32(image, l->security + 4);
    }
    return pe <= size && l->headers <= size && l->n_sections <= MAX_SECTIONS &&
           l->sections + l->n_sections * SECTION_SIZE <= l->headers &&
           l->checksum + 4 <= (l->security ?: l->headers) &&
           (!l->security || l->security + 8 <= l->headers) &&
           l->certs <= size && l->certs_size <= size - l->certs &&
           (!l->certs_size || l->certs + l->certs_size == size);
}

typedef struct Section {
    size_t pos;
    size_t size;
} Section;

static int by_position(gconstpointer a, gconstpointer b)
{
    const Section *x = a, *y = b;

    return x->pos < y->pos ? -1 : x->pos > y->pos;
}

static void update(GChecksum *sum, GBytes *image, size_t from, size_t to)
{
    const uint8_t *data = g_bytes_get_data(image, NULL);

    g_checksum_update(sum, data + from, to - from);
}

/* Sections in the order of the file; false if one is not within it */
static bool hash_sections(GChecksum *sum, GBytes *image, const Layout *l,
                          size_t *hashed)
{
    g_autoptr(GArray) sections = g_array_new(false, false, sizeof(Section));
    size_t end = g_bytes_get_size(image);

    for (unsigned i = 0; i < l->n_sections; i++) {
        size_t entry = l->sections + i * SECTION_SIZE;
        Section s = { get_u32(image, entry + 20), get_u32(image, entry + 16) };

        if (s.size) {
            g_array_append_val(sections, s);
        }
    }
    g_array_sort(sections, by_position);
    *hashed = l->headers;
    for (guint i = 0; i < sections->len; i++) {
        const Section *s = &g_array_index(sections, Section, i);

        if (s->pos > end || s->size > end - s->pos) {
            return false;
        }
        update(sum, image, s->pos, s->pos + s->size);
        *hashed += s->size;
    }
    return true;
}

bool tool_pe_hash(GBytes *image, GChecksumType type, uint8_t *digest,
                  size_t *size)
{
    g_autoptr(GChecksum) sum = g_checksum_new(type);
    size_t end = g_bytes_get_size(image), hashed;
    Layout l;

    if (!read_layout(image, &l)) {
        return false;
    }
    update(sum, image, 0, l.checksum);
    if (l.security) {
        update(sum, image, l.checksum + 4, l.security);
        update(sum, image, l.security + 8, l.headers);
    } else {
        update(sum, image, l.checksum + 4, l.headers);
    }
    if (!hash_sections(sum, image, &l, &hashed)) {
        return false;
    }
    end -= l.certs_size;
    if (hashed < end) {
        update(sum, image, hashed, end);
    }
    g_checksum_get_digest(sum, digest, size);
    return true;
}

bool tool_pe_is_image(GBytes *image)
{
    Layout l;

    return read_layout(image, &l);
}

GPtrArray *tool_pe_signatures(GBytes *image)
{
    g_autoptr(GPtrArray) out =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    size_t pos, end;
    Layout l;

    if (!read_layout(image, &l)) {
        return NULL;
    }
    pos = l.certs;
    end = l.certs + l.certs_size;
    while (l.certs_size && end - pos >= WIN_CERT_SIZE) {
        size_t size = get_u32(image, pos);

        if (size < WIN_CERT_SIZE || size > end - pos) {
            break;
        }
        if (get_u16(image, pos + 6) == WIN_CERT_PKCS) {
            g_ptr_array_add(out, g_bytes_new_from_bytes(
                image, pos + WIN_CERT_SIZE, size - WIN_CERT_SIZE));
        }
        pos += MIN(ROUND_UP(size, 8), end - pos);
    }
    return g_steal_pointer(&out);
}

GBytes *tool_pe_section(GBytes *image, const char *name)
{
    const uint8_t *data = g_bytes_get_data(image, NULL);
    size_t end = g_bytes_get_size(image);
    Layout l;

    if (!read_layout(image, &l)) {
        return NULL;
    }
    for (unsigned i = 0; i < l.n_sections; i++) {
        size_t entry = l.sections + i * SECTION_SIZE;
        size_t raw_size = get_u32(image, entry + 16);
        /* some linkers leave the size in memory out */
        size_t size = MIN(get_u32(image, entry + 8) ?: raw_size, raw_size);
        size_t pos = get_u32(image, entry + 20);

        if (!strncmp((const char *)data + entry, name, 8) && pos <= end &&
            size <= end - pos) {
            return g_bytes_new_from_bytes(image, pos, size);
        }
    }
    return NULL;
}
