# Runs one Bash program as a process of its own and tells, over descriptor 4, how far it came.
#
# The secret stays in this process. The program's last line, which is the judge's, signals its parent, this one: an
# `exit` or an open here-document before the tests does not get there.
read -r -N 32 -u 3 secret
exec 3<&-
printf S >&4

program=$1
# A program may switch extended patterns on and then use them, which Bash reads as it goes.
if ! errors=$("$BASH" -n "$program" 2>&1 4>&-) && ! "$BASH" -O extglob -n "$program" 2>/dev/null 4>&-; then
    printf '%s\n' "$errors" >&2
    printf C >&4
    exit 1
fi
printf R >&4

ended=
trap 'ended=1' USR1
"$BASH" "$program" 4>&-
status=$?
trap - USR1
case $status$ended in
    01) printf %s "$secret" >&4 ;;
    # MultiPL-E's tests are commands under `set -e`: the first that fails ends the program with its status.
    1 | 11) printf A >&4 ;;
    0) ;;
    *) printf E >&4 ;;
esac
exit "$status"
