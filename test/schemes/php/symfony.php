<?php
// Symfony's UriSigner, after its source (7.2; 7.3 for base64url): what it signs, and what its check says. Takes a line of JSON for each link to make,
// and answers with the link, the verdicts on others, and `UriSigner` of Symfony 5.4, which knows no expiry, where Debian's package has it.
const PACKAGE = '/usr/share/php/Symfony/Component/HttpKernel/UriSigner.php';
if (is_file(PACKAGE)) {
    require PACKAGE;
}

function built(string $uri, array $parameters): string
{
    $url = parse_url($uri);
    ksort($parameters, SORT_STRING);
    $query = http_build_query($parameters, '', '&');
    $scheme = isset($url['scheme']) ? $url['scheme'] . '://' : '';
    $port = isset($url['port']) ? ':' . $url['port'] : '';
    return $scheme . ($url['host'] ?? '') . $port . ($url['path'] ?? '') . ($query === '' ? '' : "?$query");
}

function hashed(object $ask, string $uri): string
{
    $hash = base64_encode(hash_hmac('sha256', $uri, $ask->key, true));
    return $ask->encoding === 'base64' ? $hash : strtr(rtrim($hash, '='), ['/' => '_', '+' => '-']);
}

function parameters(string $uri): array
{
    parse_str(parse_url($uri, PHP_URL_QUERY) ?? '', $parameters);
    return $parameters;
}

function signed(object $ask): string
{
    $parameters = parameters($ask->url);
    if ($ask->expires) {
        $parameters['_expiration'] = $ask->expires;
    }
    $parameters['_hash'] = hashed($ask, built($ask->url, $parameters));
    return built($ask->url, $parameters);
}

function checked(object $ask, string $uri): bool
{
    $parameters = parameters($uri);
    $hash = $parameters['_hash'] ?? '';
    unset($parameters['_hash']);
    if (!is_string($hash) || $hash === '') {
        return false;
    }
    $plain = fn (string $text) => strtr(rtrim($text, '='), ['/' => '_', '+' => '-']);
    if (!hash_equals($plain(hashed($ask, built($uri, $parameters))), $plain($hash))) {
        return false;
    }
    $expiration = $parameters['_expiration'] ?? false;
    return !$expiration || $ask->now < $expiration;
}

while (($line = fgets(STDIN)) !== false) {
    $ask = json_decode($line);
    $old = null;
    if (class_exists(Symfony\Component\HttpKernel\UriSigner::class) && !$ask->expires && $ask->encoding === 'base64') {
        $signer = new Symfony\Component\HttpKernel\UriSigner($ask->key);
        $old = ['link' => $signer->sign($ask->url), 'verdicts' => array_map(fn ($link) => $signer->check($link), $ask->links)];
    }
    $verdicts = array_map(fn ($link) => checked($ask, $link), $ask->links);
    echo json_encode(['link' => signed($ask), 'verdicts' => $verdicts, 'old' => $old], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
}
