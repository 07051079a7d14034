# bash completion for goodness: commands, options and what they take, read from the program's own help.

_goodness_help() {
    "$1" ${2:+"$2"} --help 2>/dev/null
}

# The words of a list in the help: its lines are indented by two spaces, and a blank line ends it.
_goodness_list() { # _goodness_list HEADING
    sed -n "/^$1/,/^\$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p"
}

_goodness_data() {
    local place
    printf '%s\n' mnist fashion-mnist
    for place in "${XDG_DATA_HOME:-$HOME/.local/share}"/goodness/*/; do
        [ -d "$place" ] && basename "$place"
    done
}

_goodness() {
    local current=${COMP_WORDS[COMP_CWORD]} option= command=${COMP_WORDS[1]} words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="$(_goodness_help "$1" | _goodness_list Commands) --help --version"
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        return
    fi

    # --option value, or --option=value, which readline hands over in three words.
    [ "$current" = = ] && current=
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --*) option=${COMP_WORDS[COMP_CWORD - 1]} ;;
    =) option=${COMP_WORDS[COMP_CWORD - 2]} ;;
    esac
    [ "${COMP_WORDS[COMP_CWORD]}" = = ] && option=${COMP_WORDS[COMP_CWORD - 1]}
    case $option in
    --start) words="default $(_goodness_help "$1" serve | _goodness_list Presets)" ;;
    --dataset) words=$(_goodness_data) ;;
    --data)
        compopt -o nospace 2>/dev/null
        words=$(_goodness_data | sed 's/$/=/')
        ;;
    --state) compopt -o dirnames 2>/dev/null; return ;;
    --checkpoint | --resume | --token-file) compopt -o default 2>/dev/null; return ;;
    --listen) words="127.0.0.1 ::1 localhost" ;;
    --log-format) words="text json" ;;
    --log-level) words="debug info warning error" ;;
    --split) words="test train validation" ;;
    --predict) words="goodness log_softmax readout readout_and_goodness" ;;
    --text | --help | '') option= ;;
    *) return ;; # a number, a name
    esac
    if [ -n "$option" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        return
    fi

    if [[ $current == -* ]]; then
        words=$(_goodness_help "$1" "$command" | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p')
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    else
        [ "$command" = train ] && words=$(_goodness_help "$1" train | _goodness_list Presets)
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        compopt -o default 2>/dev/null # files too
    fi
}

complete -F _goodness goodness
