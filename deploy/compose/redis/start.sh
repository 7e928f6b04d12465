#!/bin/sh
# Starts Redis with the password of its environment in a file for its own eyes only.
set -eu
umask 077
printf 'requirepass "%s"\n' "$REDIS_PASSWORD" > /run/redis/auth.conf
unset REDIS_PASSWORD
exec redis-server /etc/redis/redis.conf
