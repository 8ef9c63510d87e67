# Runs one Bash program as a process of its own and tells, over descriptor 4, how far it came.
#
# The secret stays in this process. Two of the program's lines, one before the tests and one after them, are the
# judge's, and each writes the program's tag to a pipe: an `exit` or an open here-document gets to neither.
read -r -N 32 -u 3 secret
exec 3<&-
printf S >&4

program=$1
tag=$2
# A program may switch extended patterns on and then use them, which Bash reads as it goes.
# A program that is not followed by tests may end before what is no Bash.
if [[ -n $tag ]] && ! errors=$("$BASH" -n "$program" 2>&1 4>&-) && ! "$BASH" -O extglob -n "$program" 2>/dev/null 4>&-; then
    printf '%s\n' "$errors" >&2
    printf C >&4
    exit 1
fi
printf R >&4

# A pipe open at both ends, so that neither side waits for the other.
# Of a number that scripts rarely use, and that the tightest limit allows.
exec 14<> <(:)
"$BASH" "$program" 4>&-
status=$?
IFS= read -r -t 0.01 -N $((2 * (${#tag} + 1))) -u 14 marks
[[ -n $tag && $marks = "B${tag}E$tag" ]] && ended=1
case $status$ended in
    01) printf %s "$secret" >&4 ;;
    # MultiPL-E's tests are commands under `set -e`: the first that fails ends the program with its status.
    1 | 11) printf A >&4 ;;
    0) ;;
    *) printf E >&4 ;;
esac
exit "$status"
