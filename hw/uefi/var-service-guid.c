/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UEFI variable service: GUIDs
 */

#include "qemu/osdep.h"
#include "hw/uefi/var-service-guid.h"

const UefiGuid uefi_guid_variable_protocol =
    UEFI_GUID(0xed32d533, 0x99e6, 0x4209,
              0x9c, 0xc0, 0x2d, 0x72, 0xcd, 0xd9, 0x98, 0xa7);
const UefiGuid uefi_guid_policy_protocol =
    UEFI_GUID(0xda1b0d11, 0xd1a7, 0x46c4,
              0x9d, 0xc9, 0xf3, 0x71, 0x48, 0x75, 0xc6, 0xeb);
const UefiGuid uefi_guid_end_of_dxe =
    UEFI_GUID(0x02ce967a, 0xdd7e, 0x4ffc,
              0x9e, 0xe7, 0x81, 0x0c, 0xf0, 0x47, 0x08, 0x80);
const UefiGuid uefi_guid_ready_to_boot =
    UEFI_GUID(0x7ce88fb3, 0x4bd7, 0x4679,
              0x87, 0xa8, 0xa8, 0xd8, 0xde, 0xe5, 0x0d, 0x2b);
const UefiGuid uefi_guid_exit_boot_services =
    UEFI_GUID(0x27abf055, 0xb1b8, 0x4c26,
              0x80, 0x48, 0x74, 0x8f, 0x37, 0xba, 0xa2, 0xdf);

const UefiGuid uefi_guid_global =
    UEFI_GUID(0x8be4df61, 0x93ca, 0x11d2,
              0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c);
const UefiGuid uefi_guid_image_security =
    UEFI_GUID(0xd719b2cb, 0x3d3a, 0x4596,
              0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f);
const UefiGuid uefi_guid_secure_boot_enable =
    UEFI_GUID(0xf0a30bc7, 0xaf08, 0x4556,
              0x99, 0xc4, 0x00, 0x10, 0x09, 0xc9, 0x3a, 0x44);
const UefiGuid uefi_guid_custom_mode =
    UEFI_GUID(0xc076ec0c, 0x7028, 0x4399,
              0xa0, 0x72, 0x71, 0xee, 0x5c, 0x44, 0x8b, 0x9f);
const UefiGuid uefi_guid_vendor_keys_nv =
    UEFI_GUID(0x9073e4e0, 0x60ec, 0x4b6e,
              0x99, 0x03, 0x4c, 0x22, 0x3c, 0x26, 0x0f, 0x3c);
const UefiGuid uefi_guid_cert_db =
    UEFI_GUID(0xd9bee56e, 0x75dc, 0x49d9,
              0xb4, 0xd7, 0xb5, 0x34, 0x21, 0x0f, 0x63, 0x7a);
const UefiGuid uefi_guid_hw_error =
    UEFI_GUID(0x414e6bdd, 0xe47b, 0x47cc,
              0xb2, 0x44, 0xbb, 0x61, 0x02, 0x0c, 0xf5, 0x16);
const UefiGuid uefi_guid_var_error_flag =
    UEFI_GUID(0x04b37fe8, 0xf6ae, 0x480b,
              0xbd, 0xd5, 0x37, 0xd9, 0x8c, 0x5e, 0x89, 0xaa);
const UefiGuid uefi_guid_mor_control =
    UEFI_GUID(0xe20939be, 0x32d4, 0x41be,
              0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29);
const UefiGuid uefi_guid_mor_control_lock =
    UEFI_GUID(0xbb983ccf, 0x151d, 0x40e1,
              0xa0, 0x7b, 0x4a, 0x17, 0xbe, 0x16, 0x82, 0x92);

const UefiGuid uefi_guid_cert_pkcs7 =
    UEFI_GUID(0x4aafd29d, 0x68df, 0x49ee,
              0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7);
const UefiGuid uefi_guid_cert_x509 =
    UEFI_GUID(0xa5c059a1, 0x94e4, 0x4aa7,
              0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72);
const UefiGuid uefi_guid_cert_sha1 =
    UEFI_GUID(0x826ca512, 0xcf10, 0x4ac9,
              0xb1, 0x87, 0xbe, 0x01, 0x49, 0x66, 0x31, 0xbd);
const UefiGuid uefi_guid_cert_sha224 =
    UEFI_GUID(0x0b6e5233, 0xa65c, 0x44c9,
              0x94, 0x07, 0xd9, 0xab, 0x83, 0xbf, 0xc8, 0xbd);
const UefiGuid uefi_guid_cert_sha256 =
    UEFI_GUID(0xc1c41626, 0x504c, 0x4092,
              0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28);
const UefiGuid uefi_guid_cert_sha384 =
    UEFI_GUID(0xff3e5307, 0x9fd0, 0x48c9,
              0x85, 0xf1, 0x8a, 0xd5, 0x6c, 0x70, 0x1e, 0x01);
const UefiGuid uefi_guid_cert_sha512 =
    UEFI_GUID(0x093e0fae, 0xa6c4, 0x4f50,
              0x9f, 0x1b, 0xd4, 0x1e, 0x2b, 0x89, 0xc1, 0x9a);
const UefiGuid uefi_guid_cert_rsa2048 =
    UEFI_GUID(0x3c5766e8, 0x269c, 0x4e34,
              0xaa, 0x14, 0xed, 0x77, 0x6e, 0x85, 0xb3, 0xb6);
const UefiGuid uefi_guid_cert_rsa2048_sha1 =
    UEFI_GUID(0x67f8444f, 0x8743, 0x48f1,
              0xa3, 0x28, 0x1e, 0xaa, 0xb8, 0x73, 0x60, 0x80);
const UefiGuid uefi_guid_cert_rsa2048_sha256 =
    UEFI_GUID(0xe2b36190, 0x879b, 0x4a3d,
              0xad, 0x8d, 0xf2, 0xe7, 0xbb, 0xa3, 0x27, 0x84);
const UefiGuid uefi_guid_cert_x509_sha256 =
    UEFI_GUID(0x3bd2a492, 0x96c0, 0x4079,
              0xb4, 0x20, 0xfc, 0xf9, 0x8e, 0xf1, 0x03, 0xed);
const UefiGuid uefi_guid_cert_x509_sha384 =
    UEFI_GUID(0x7076876e, 0x80c2, 0x4ee6,
              0xaa, 0xd2, 0x28, 0xb3, 0x49, 0xa6, 0x86, 0x5b);
const UefiGuid uefi_guid_cert_x509_sha512 =
    UEFI_GUID(0x446dbf63, 0x2502, 0x4cda,
              0xbc, 0xfa, 0x24, 0x65, 0xd2, 0xb0, 0xfe, 0x9d);

/* The byte of UefiGuid.b that each pair of printed digits stands for */
static const uint8_t print_order[16] = {
    3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
};

static bool dash_before(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uefi_guid_equal(const UefiGuid *a, const UefiGuid *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool uefi_guid_parse(const char *text, UefiGuid *guid)
{
    UefiGuid result;

    if (strlen(text) != UEFI_GUID_TEXT_LEN) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(result.b); i++) {
        int high, low;

        if (dash_before(i) && *text++ != '-') {
            return false;
        }
        high = g_ascii_xdigit_value(*text++);
        low = g_ascii_xdigit_value(*text++);
        if (high < 0 || low < 0) {
            return false;
        }
        result.b[print_order[i]] = high << 4 | low;
    }
    *guid = result;
    return true;
}

char *uefi_guid_print(const UefiGuid *guid)
{
    GString *text = g_string_sized_new(UEFI_GUID_TEXT_LEN + 1);

    for (unsigned i = 0; i < sizeof(guid->b); i++) {
        g_string_append_printf(text, "%s%02x", dash_before(i) ? "-" : "",
                               guid->b[print_order[i]]);
    }
    return g_string_free(text, FALSE);
}

const char *uefi_guid_name(const UefiGuid *guid)
{
    static const struct {
        const UefiGuid *guid;
        const char *name;
    } known[] = {
        { &uefi_guid_global,             "GLOBAL" },
        { &uefi_guid_image_security,     "IMGSEC" },
        { &uefi_guid_secure_boot_enable, "SBENABLE" },
        { &uefi_guid_custom_mode,        "CUSTOM" },
        { &uefi_guid_vendor_keys_nv,     "VENDORKEYSNV" },
        { &uefi_guid_cert_db,            "CERTDB" },
        { &uefi_guid_hw_error,           "HWERR" },
        { &uefi_guid_var_error_flag,     "VARERR" },
        { &uefi_guid_mor_control,        "MOR" },
        { &uefi_guid_mor_control_lock,   "MORLOCK" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (uefi_guid_equal(guid, known[i].guid)) {
            return known[i].name;
        }
    }
    return NULL;
}
