/*
 * UEFI variable driver for QEMU's uefi-vars devices
 *
 * Points the four variable services of any UEFI firmware at the device, so
 * that the host keeps the variables.  Packed as an option ROM; README.md has
 * the whole picture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "driver.h"

static const EfiGuid end_of_dxe_group = GUID_EVENT_END_OF_DXE;
static const EfiGuid ready_to_boot_group = GUID_EVENT_READY_TO_BOOT;
static const EfiGuid exit_boot_group = GUID_EVENT_EXIT_BOOT_SERVICES;
static const EfiGuid address_change_group = GUID_EVENT_VIRTUAL_ADDRESS_CHANGE;

static EfiSystemTable *st;
static Transport transport;
static const EfiChar *trouble;
static EfiEvent ready_to_boot_event, exit_boot_event, address_change_event;

static void print(const EfiChar *text)
{
    if (st->con_out) {
        st->con_out->output_string(st->con_out, text);
    }
}

static void report(void)
{
    if (trouble) {
        print(u"uefi-vars: ");
        print(trouble);
        print(u", the firmware keeps its own variables\r\n");
        return;
    }
    print(u"uefi-vars: variables are kept by the host (");
    print(transport.name);
    print(device_uses_pio() ? u", PIO)\r\n" : u", DMA)\r\n");
    if (*carry_unused()) {
        print(u"uefi-vars: in flash, and not used:");
        print(carry_unused());
        print(u"\r\n");
    }
}

/*
 * Option ROMs usually start before the console does, so the first boot
 * attempt is the time to say what was found.
 */
static void report_once(void)
{
    static bool done;

    if (!done) {
        done = true;
        report();
    }
}

static void on_boot_without_device(EfiEvent event, void *context)
{
    report_once();
    st->boot->close_event(event);
}

static void on_ready_to_boot(EfiEvent event, void *context)
{
    report_once();
    services_ready_to_boot();
    services_event(&ready_to_boot_group);
}

/*
 * The firmware loads option ROMs after the end of DXE, and edk2 only records
 * the sections of images that came before it: this image is then listed as a
 * whole, as data.  An operating system that believes the table would fault on
 * the first call, so take the mark off the entry that holds this code.
 */
static void allow_execution(void)
{
    static const EfiGuid guid = GUID_MEMORY_ATTRIBUTES_TABLE;
    EfiMemoryAttributesTable *mat = find_table(st, &guid);
    uint64_t here = (uintptr_t)allow_execution;

    if (!mat) {
        return;
    }
    for (uint32_t i = 0; i < mat->count; i++) {
        EfiMemoryDescriptor *d = (EfiMemoryDescriptor *)
            (mat->descriptors + (size_t)i * mat->descriptor_size);

        if (here >= d->physical &&
            here - d->physical < d->pages * EFI_PAGE_SIZE) {
            d->attribute &= ~EFI_MEMORY_XP;
        }
    }
}

static void on_exit_boot_services(EfiEvent event, void *context)
{
    services_exit_boot_services();
    services_event(&exit_boot_group);
    services_enter_runtime();
    bootnext_end();
    allow_execution();
}

static void on_address_change(EfiEvent event, void *context)
{
    services_convert(st->runtime);
    device_convert(st->runtime);
}

static EfiStatus create_events(void)
{
    EfiBootServices *bs = st->boot;
    EfiStatus status;

    status = bs->create_event_ex(EVT_NOTIFY_SIGNAL, TPL_CALLBACK,
                                 on_ready_to_boot, NULL,
                                 &ready_to_boot_group, &ready_to_boot_event);
    if (EFI_ERROR(status)) {
        return status;
    }
    /* The lowest level, so that other drivers' handlers still count as boot */
    status = bs->create_event_ex(EVT_NOTIFY_SIGNAL, TPL_CALLBACK,
                                 on_exit_boot_services, NULL,
                                 &exit_boot_group, &exit_boot_event);
    if (EFI_ERROR(status)) {
        return status;
    }
    return bs->create_event_ex(EVT_NOTIFY_SIGNAL, TPL_NOTIFY,
                               on_address_change, NULL,
                               &address_change_group, &address_change_event);
}

static void close_events(void)
{
    EfiEvent *events[] = {
        &ready_to_boot_event, &exit_boot_event, &address_change_event
    };

    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
        if (*events[i]) {
            st->boot->close_event(*events[i]);
        }
    }
}

static void take_over(void)
{
    EfiRuntimeServices *rt = st->runtime;
    EfiTpl tpl = st->boot->raise_tpl(TPL_NOTIFY);

    rt->get_variable = bootnext_get;
    rt->get_next_variable_name = vars_get_next;
    rt->set_variable = bootnext_set;
    rt->query_variable_info = vars_query;
    rt->hdr.crc32 = 0;
    st->boot->calculate_crc32(rt, rt->hdr.header_size, &rt->hdr.crc32);
    st->boot->restore_tpl(tpl);
}

static EfiStatus start_device(uint64_t buffer)
{
    EfiStatus status = device_init(&transport, buffer);

    if (EFI_ERROR(status)) {
        return status;
    }
    status = services_init(st->boot, (void *)(uintptr_t)buffer);
    if (EFI_ERROR(status)) {
        return status;
    }
    status = create_events();
    if (EFI_ERROR(status)) {
        return status;
    }
    status = carry_variables(st);
    if (EFI_ERROR(status)) {
        return status;
    }
    /* It has happened before an option ROM is started. */
    return services_event(&end_of_dxe_group);
}

static EfiStatus without_device(const EfiChar *why)
{
    EfiEvent event;

    trouble = why;
    /* Nothing but the wish to be heard keeps the image in memory. */
    return st->boot->create_event_ex(EVT_NOTIFY_SIGNAL, TPL_CALLBACK,
                                     on_boot_without_device, NULL,
                                     &ready_to_boot_group, &event);
}

EfiStatus efi_main(EfiHandle image, EfiSystemTable *system_table)
{
    size_t pages = EXCHANGE_SIZE / EFI_PAGE_SIZE;
    uint64_t buffer;
    EfiStatus status;

    st = system_table;
    if (!find_device(st, &transport)) {
        return without_device(u"no device found");
    }
    if (device_in_use(&transport)) {
        return EFI_ALREADY_STARTED;     /* which unloads this image */
    }
    status = st->boot->allocate_pages(EFI_ALLOCATE_ANY_PAGES,
                                      EFI_RUNTIME_SERVICES_DATA, pages,
                                      &buffer);
    if (EFI_ERROR(status)) {
        return status;
    }
    status = start_device(buffer);
    if (EFI_ERROR(status)) {
        close_events();
        st->boot->free_pages(buffer, pages);
        return without_device(u"the device does not work");
    }
    bootnext_init();
    take_over();
    return EFI_SUCCESS;
}
