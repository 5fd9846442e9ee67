# Runs "$@" and kills it when standard input closes: that is when the process that holds the other end is gone, however it died.
# Linux could do it with PR_SET_PDEATHSIG, which Node cannot set and other systems do not have.
child=
trap 'test -z "$child" || kill -TERM "$child"' TERM

exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{
  read -r _ <&3
  kill -KILL "$child"
} >/dev/null 2>&1 &
guard=$!

# A forwarded signal ends `wait` early. The guard goes before this script does, while the child's pid cannot have been given to anybody else.
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break
done
kill -KILL "$guard" 2>/dev/null
exit "$code"
