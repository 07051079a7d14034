# commands.awk - the command lines of Markdown files: FILE, line number and the command, divided by tabs.
#
# Every line of a block ```sh is one, but for comments; of other blocks, fenced or indented, those that begin as a command
# does. A line that ends with \ goes on in the next.

FNR == 1 { block = ""; before = "" }

/^ *```/ {
    block = block != "" ? "" : $0 ~ /```sh/ ? "sh" : "other"
    before = ""
    next
}

{
    indented = block == "" && /^    / && (before ~ /^ *$/ || before ~ /^    /)
    before = $0
    if (block == "" && !indented)
        next
    line = $0
    sub(/^ +/, "", line)
    if (held == "" && (line == "" || line ~ /^#/ || (block != "sh" && !begins_a_command(line))))
        next
    if (held == "")
        number = FNR
    held = held line
    if (sub(/\\$/, "", held))
        next
    print FILENAME "\t" number "\t" held
    held = ""
}

function begins_a_command(line)
{
    return line ~ /^(\$ |\([a-z]+ |\.\.?\/|\.[a-z-]+\/|(tests|server|web|core)\/[a-z])/ ||
        line ~ /^(apt|apt-get|bash|cc|cd|cmake|cp|cpack|curl|docker|dpkg|env|export|for|gcc|git|goodness|jq|make|man|mkdir|mpicc|mpiexec|mpirun|ninja|nice|node|npm|npx|pkg-config|python3|sh|ssh|sudo|systemctl|tar|while)( |$)/
}
