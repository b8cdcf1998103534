<?php
// For test/schemes/hmac.reprinted.test.ts: reads queries as PHP does, and prints URLs as PHP's functions print them. A line in, a line out.
error_reporting(0);

// A query as one text: what $_GET would have, in the order of names.
function reading(string $query): string {
    parse_str($query, $parameters);
    ksort($parameters, SORT_STRING);
    return base64_encode(serialize($parameters));
}

function split_url(string $url): array {
    $parts = explode('?', $url, 2);
    return [$parts[0], $parts[1] ?? null];
}

function join_url(string $path, ?string $query): string {
    return $query === null ? $path : "$path?$query";
}

function rawurl(string $url): string {
    [$path, $query] = split_url($url);
    return join_url(implode('/', array_map(fn($segment) => rawurlencode(rawurldecode($segment)), explode('/', $path))), $query);
}

// Every name and value decoded and encoded, as signers of query strings do.
function rawurl_query(string $url): string {
    [$path, $query] = split_url($url);
    if ($query === null) return $url;
    $pieces = array_map(fn($piece) => implode('=', array_map(fn($part) => rawurlencode(urldecode($part)), explode('=', $piece, 2))), explode('&', $query));
    return join_url($path, implode('&', $pieces));
}

function build_query(string $url): string {
    [$path, $query] = split_url($url);
    if ($query === null) return $url;
    parse_str($query, $parameters);
    return join_url($path, http_build_query($parameters));
}

// As Symfony's getUri() and Laravel's fullUrl() print it.
function symfony_query(string $url): string {
    [$path, $query] = split_url($url);
    if ($query === null) return $url;
    parse_str($query, $parameters);
    ksort($parameters);
    return join_url($path, http_build_query($parameters, '', '&', PHP_QUERY_RFC3986));
}

while (($line = fgets(STDIN)) !== false) {
    [$task, $text] = explode("\t", rtrim($line, "\n"), 2);
    echo $task($text), "\n";
}
