# Completion of qimuxctl's verbs, options and what they take; for bash.

_qimuxctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local verbs="status sockets flows stats recoveries monitor version at dns ping log-level usage reset
        wait-online metrics probe bugreport doctor"
    local globals="--help --version --socket --instance --json"
    local verb="" skip="" word options=$globals

    # The first word that is no option, nor what an option takes.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ -n $skip ]]; then
            skip=""
        elif [[ $word == --socket || $word == --instance ]]; then
            skip=1
        elif [[ $word != -* ]]; then
            verb=$word
            break
        fi
    done

    case $prev in
        --socket | --textfile | --config)
            compopt -o filenames 2> /dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            ;;
        --instance)
            mapfile -t COMPREPLY < <(compgen -W "$(compgen -G '/run/qimuxd/*.sock' | sed 's|.*/||; s|\.sock$||; /^control$/d')" -- "$cur")
            return
            ;;
        --baud)
            mapfile -t COMPREPLY < <(compgen -W "4800 9600 19200 38400 57600 115200 230400 460800" -- "$cur")
            return
            ;;
        --days | --months | --timeout | --name) return ;;
    esac

    case $verb in
        "") options="$verbs $globals" ;;
        at) options="$globals AT+CSQ AT+CREG? AT+COPS? AT+QISTATE ATI" ;;
        log-level) options="$globals error warning notice info debug" ;;
        usage) options="$globals --days --months" ;;
        reset) options="$globals --line --wait --timeout" ;;
        wait-online) options="$globals --timeout" ;;
        metrics) options="$globals --textfile" ;;
        probe) options="$globals --baud --name --imei $(compgen -G '/dev/tty[A-Z]*')" ;;
        bugreport) options="$globals --config --with-personal-data" ;;
        doctor) options="$globals --config" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _qimuxctl qimuxctl
