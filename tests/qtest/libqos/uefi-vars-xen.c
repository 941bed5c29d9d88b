/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libqos driver for uefi-vars-xen
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-xen-messages.h"
#include "uefi-vars-xen.h"

#define ARGS    "-nodefaults -L /usr/share/seabios " \
                "-global apic-common.vapic=off -m 16"
#define RAM     0x200000

const QUefiDevice quefi_xen_devices[2] = {
    {
        .name = "xen", .arch = "x86_64", .type = TYPE_UEFI_VARS_XEN,
        .machine = "pc " ARGS, .ram = RAM, .is_xen = true,
    }, {
        .name = "xen-q35", .arch = "x86_64", .type = TYPE_UEFI_VARS_XEN,
        .machine = "q35 " ARGS, .ram = RAM, .is_xen = true,
    },
};

QUefiMsg *quefi_xen_msg_new(uint32_t version, uint32_t command)
{
    QUefiMsg *msg = quefi_buf_new();

    quefi_put(msg, 4, version);
    quefi_put(msg, 4, command);
    return msg;
}

void quefi_xen_put_name(QUefiMsg *msg, const char *name)
{
    quefi_put(msg, 8, quefi_str_size(name) - 2);
    quefi_put_chars(msg, name);
}

void quefi_xen_put_blob(QUefiMsg *msg, const void *data, size_t size)
{
    quefi_put(msg, 8, size);
    quefi_put_bytes(msg, data, size);
}

void quefi_xen_exchange(QUefiVars *uv, QUefiMsg *msg, uint32_t frame)
{
    uint64_t addr = (uint64_t)frame * UEFI_XEN_PAGE_SIZE;

    qtest_memwrite(uv->qts, addr, msg->bytes->data, msg->bytes->len);
    qtest_outl(uv->qts, UEFI_XEN_PORT, frame);
    g_byte_array_set_size(msg->bytes, UEFI_XEN_MESSAGE_SIZE);
    qtest_memread(uv->qts, addr, msg->bytes->data, msg->bytes->len);
    msg->pos = 0;
}

EfiStatus quefi_xen_send(QUefiVars *uv, QUefiMsg *msg)
{
    uint64_t status;

    quefi_xen_exchange(uv, msg, uv->dev->ram / UEFI_XEN_PAGE_SIZE);
    status = quefi_get(msg, 8);
    g_assert_cmpint(status >> 63, ==, (uint32_t)status ? 1 : 0);
    return status & ~(1ull << 63);
}

EfiStatus quefi_xen_set_text(QUefiVars *uv, const char *name,
                             uint32_t attributes, const char *text,
                             bool at_runtime)
{
    g_autoptr(QUefiMsg) msg = quefi_xen_msg_new(UEFI_XEN_VERSION,
                                                UEFI_XEN_SET_VARIABLE);

    quefi_xen_put_name(msg, name);
    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_xen_put_blob(msg, text, strlen(text));
    quefi_put(msg, 4, attributes);
    quefi_put(msg, 1, at_runtime);
    return quefi_xen_send(uv, msg);
}

EfiStatus quefi_xen_get(QUefiVars *uv, const char *name, bool at_runtime,
                        char **text)
{
    g_autoptr(QUefiMsg) msg = quefi_xen_msg_new(UEFI_XEN_VERSION,
                                                UEFI_XEN_GET_VARIABLE);
    EfiStatus status;
    size_t size;

    quefi_xen_put_name(msg, name);
    quefi_put_guid(msg, QUEFI_VENDOR);
    quefi_put(msg, 8, UEFI_XEN_MESSAGE_SIZE);
    quefi_put(msg, 1, at_runtime);
    status = quefi_xen_send(uv, msg);
    if (status == EFI_SUCCESS) {
        quefi_get(msg, 4);
        size = quefi_get(msg, 8);
        *text = g_malloc0(size + 1);
        quefi_get_bytes(msg, *text, size);
    }
    return status;
}

char *quefi_xen_list(QUefiVars *uv, bool at_runtime)
{
    GString *list = g_string_new("");
    g_autofree char *guid = g_strdup("00000000-0000-0000-0000-000000000000");
    g_autofree char *name = g_strdup("");
    EfiStatus status;

    for (;;) {
        g_autoptr(QUefiMsg) msg =
            quefi_xen_msg_new(UEFI_XEN_VERSION,
                              UEFI_XEN_GET_NEXT_VARIABLE_NAME);
        size_t size;

        quefi_put(msg, 8, 256);
        quefi_xen_put_name(msg, name);
        quefi_put_guid(msg, guid);
        quefi_put(msg, 1, at_runtime);
        status = quefi_xen_send(uv, msg);
        if (status != EFI_SUCCESS) {
            g_assert_cmpint(status, ==, EFI_NOT_FOUND);
            return g_string_free(list, false);
        }
        size = quefi_get(msg, 8);
        g_free(name);
        name = quefi_get_str(msg, size);
        g_free(guid);
        guid = quefi_get_guid(msg);
        if (!strcmp(guid, QUEFI_VENDOR)) {
            g_string_append_printf(list, "%s%s", list->len ? " " : "", name);
        }
    }
}
