#!/bin/sh
# An editor for tests: shows that it has the terminal, reads a line from it, and writes the line under the text.
stty -a | grep -q ' icanon' && printf 'lines come whole\n'
printf 'the editor asks: '
read -r line
printf '%s\n' "$line" >> "$1"
