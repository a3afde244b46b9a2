#!/bin/sh
# nginx.sh: nginx with its access log on standard output and its error log on standard error.
set -eu
mkdir -p /etc/site /var/cache/site
if [ ! -e /etc/site/nginx.conf ]; then
  cp /srv/nginx.conf /etc/site/nginx.conf
  mkdir -p /var/www/site
  printf '<!doctype html><title>Shop</title>\n' >/var/www/site/index.html
  printf 'body { color: black }\n' >/var/www/site/style.css
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=web \
    -keyout /etc/site/web.key -out /etc/site/web.crt 2>/dev/null
fi
exec nginx -c /etc/site/nginx.conf -g 'daemon off;'
