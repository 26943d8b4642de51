# Runs the command $1 at a terminal; when it shows $2, runs $3 and types what that prints. Prints the screen, ends as the command did.
screen=$(mktemp)
(
    for _ in $(seq 600); do
        grep -qF -- "$2" "$screen" && break
        sleep 0.1
    done
    sh -c "$3"
) | script --quiet --flush --return --command "$1" "$screen" >/dev/null
status=$?
cat "$screen"
rm -f "$screen"
exit $status
