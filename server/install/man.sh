#!/bin/sh
# The manual page from its template and from what the program itself says with --help.
#
#     man.sh PROGRAM TEMPLATE >PAGE
set -eu
program=$1 template=$2

# What mdoc would take for its own.
text() { sed -e 's/\\/\\e/g' -e "s/^[.']/\\\\\\&&/" -e 's/--/\\-\\-/g'; }

commands() { "$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'; }

synopsis() {
    for command in $(commands); do
        printf '.Nm\n.Cm %s\n' "$command"
        [ "$command" = version ] || echo '.Op Ar option ...'
        # "[RUN.json|PRESET|-]..." and the like, each as it is.
        "$program" "$command" --help | sed -n '1s/^Usage: goodness [a-z]* \[OPTION\]\.\.\.//p' | tr -s ' ' '\n' | sed -n 's/^./.Ar &/p'
    done
}

# "  --port N   port to listen on" as an item of a list; other lines are paragraphs, indented ones as they are.
command() {
    "$program" "$1" --help | text | awk '
        NR <= 2 { next }
        /^Options:/ { listing = 1; print ".Bl -tag -width Ds"; next }
        listing && /^$/ { listing = 0; print ".El"; next }
        listing {
            sub(/^  \\-\\-/, "")
            split($0, word, " ")
            name = word[1]
            rest = substr($0, length(name) + 1)
            argument = ""
            if (match(rest, /^ [^ ]+/) && rest !~ /^  /) {
                argument = " Ar " substr(rest, 2, RLENGTH - 1)
                rest = substr(rest, RLENGTH + 1)
            }
            sub(/^ +/, "", rest)
            print ".It Fl -" name argument
            print rest
            next
        }
        /^Presets/ { exit }
        /^Every option can come/ { skipping = 1 }
        skipping { if (/^$/) skipping = 0; next }
        /^  / { sub(/^ +/, ""); gsub(/"/, "\\(dq"); print ".Dl " $0; next }
        /^$/ { blank = 1; next }
        { if (blank) print ".Pp"; blank = 0; gsub(/\. /, ".\n"); print }
        END { if (listing) print ".El" }'
}

commands_section() {
    echo 'Every option can come from the environment too:'
    echo '.Fl -data'
    echo 'from'
    echo '.Ev GOODNESS_DATA ,'
    echo 'and so on; repeated ones are divided by commas.'
    echo 'The command line wins.'
    for command in $(commands); do
        echo ".Ss goodness $command"
        command "$command"
    done
}

presets() {
    echo '.Bl -tag -width original-compare-shallow -compact'
    "$program" train --help | text | sed -n '/^Presets/,$s/^  \([^ ]*\) *\(.*\)/.It Cm \1\n\2/p'
    echo '.El'
}

while IFS= read -r line; do
    case $line in
    @synopsis@) synopsis ;;
    @commands@) commands_section ;;
    @presets@) presets ;;
    *) printf '%s\n' "$line" ;;
    esac
done <"$template"
