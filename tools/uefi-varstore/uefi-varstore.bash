# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bash completion for uefi-varstore

# Names of variables, once the store has been given
_uefi_varstore_names()
{
    local word IFS=$'\n'

    for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        if [[ $word != -* && -e $word ]]; then
            mapfile -t COMPREPLY < <(
                compgen -W "$(uefi-varstore list --names -- "$word" \
                    2> /dev/null | sed "s/[\\\\\"' ]/\\\\&/g")" -- "$cur" |
                    sed "s/[\"' ]/\\\\&/g")
            return 0
        fi
    done
    return 1
}

_uefi_varstore()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options words=
    local form=' --in-place --dictionary --help'
    local commands='status list get set rm apply boot diff check clone create
                    fold replay enroll update reset-keys sign check-image mok
                    pcr7 import export firmware-descriptor help'

    case $command in
        list) options='--json --guid --sort --header --names --dictionary
                       --help' ;;
        get) options='--json --guid --raw --hexdump --dictionary --help' ;;
        set) options='--guid --attr --hex --text --file --ucs2 --u8 --u16 --u32
                      --u64 --true --false --force --size --hwerr-quota'$form ;;
        apply) options='--force --size --hwerr-quota'$form ;;
        rm) options='--guid'$form ;;
        enroll) options='--pk --kek --db --dbx --db-hash --dbx-hash --generate
                         --append --replace --remove --owner
                         --size --hwerr-quota'$form ;;
        boot) options='--label --file --partition --disk --part --uri --args
                       --last --json --size --hwerr-quota'$form ;;
        check-image) options='--json --dictionary --help' ;;
        pcr7) options='--json --image --apply --events --force-secure-boot
                       --dictionary --help' ;;
        mok) options='--mokx --size --hwerr-quota'$form ;;
        update) options='--from --dry-run --all --json --owner --size
                         --hwerr-quota'$form ;;
        sign) options='--key --cert --password-file --append --time --guid
                       --attr --owner --help' ;;
        status) options='--json --size --hwerr-quota --force-secure-boot
                         --dictionary --help' ;;
        import) options='--format --replace --rescue --dictionary --size
                         --hwerr-quota --help' ;;
        export) options='--format --template --dictionary --help' ;;
        firmware-descriptor)
            options='--arch --machine --secure-boot --template --description
                     --help' ;;
        check) options='--json --size --hwerr-quota --dictionary --help' ;;
        replay) options='--store --size --hwerr-quota --help' ;;
        diff) options='--json --dictionary --help' ;;
        reset-keys) options=$form ;;
        clone) options='--dictionary --help' ;;
        create) options='--replace --size --help' ;;
        *) options='--help' ;;
    esac

    if [ "$COMP_CWORD" -eq 1 ]; then
        words="$commands --help --version"
    elif [[ $COMP_CWORD -eq 2 && $cur != -* &&
            $command =~ ^(boot|mok|help)$ ]]; then
        case $command in
            boot) words='list add rm order next enable disable' ;;
            mok) words='list add rm' ;;
            help) words=$commands ;;
        esac
    elif [[ $prev =~ ^(--guid|-g|--owner|-o)$ ]]; then
        words='GLOBAL IMGSEC SBENABLE CUSTOM VENDORKEYSNV HWERR VARERR MOR
               MORLOCK SHIM MICROSOFT'
    elif [ "$prev" = --format ]; then
        words='aws edk2 efivarfs lxd smmstore uboot uefivars virtualbox vmgs
               vmware xen'
    elif [ "$prev" = --arch ]; then
        words='aarch64 loongarch64 riscv64 x86_64'
    elif [ "$prev" = --sort ]; then
        words='name vendor size time'
    elif [[ $cur == -* ]]; then
        words=$options
    elif [[ $command =~ ^(get|set|rm)$ ]] && _uefi_varstore_names; then
        return
    else
        compopt -o default
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _uefi_varstore uefi-varstore
