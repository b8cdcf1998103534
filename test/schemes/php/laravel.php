<?php
// Laravel's signed routes: the framework's own classes where Debian's packages have them, and their formula elsewhere. Takes a line of JSON for
// each link to make, and answers with the link and with the verdicts on others: { link, verdicts }.
const FRAMEWORK = '/usr/share/php/Illuminate/Routing/autoload.php';
$framework = is_file(FRAMEWORK);
if ($framework) {
    error_reporting(E_ALL & ~E_DEPRECATED);
    require FRAMEWORK;
}

function formula_link(object $ask): string
{
    $unencoded = ['%2F' => '/', '%40' => '@', '%3A' => ':', '%3B' => ';', '%2C' => ',', '%3D' => '=', '%2B' => '+', '%21' => '!', '%2A' => '*', '%26' => '&'];
    $url = ($ask->absolute ? $ask->origin : '') . strtr(rawurlencode('/' . trim($ask->path, '/')), $unencoded);
    $parameters = (array) $ask->parameters + ($ask->expires ? ['expires' => $ask->expires] : []);
    ksort($parameters);
    $query = http_build_query($parameters, '', '&', PHP_QUERY_RFC3986);
    $signed = rtrim($url, '/') . ($query === '' ? '' : "?$query");
    return $signed . ($query === '' ? '?' : '&') . 'signature=' . hash_hmac('sha256', $signed, $ask->key);
}

function formula_verdict(object $ask, string $link): bool
{
    [$url, $query] = explode('?', $link, 2) + [1 => ''];
    $url = rtrim($url, '/');
    $url = $ask->absolute ? $url : '/' . (trim(preg_replace('~^https?://[^/]*~', '', $url), '/') ?: '/');
    $kept = array_filter(explode('&', $query), fn ($piece) => explode('=', $piece)[0] !== 'signature');
    $original = rtrim($url . '?' . implode('&', $kept), '?');
    parse_str($query, $get);
    $signature = is_string($get['signature'] ?? '') ? $get['signature'] ?? '' : '';
    $expires = $get['expires'] ?? null;
    return hash_equals(hash_hmac('sha256', $original, $ask->key), $signature) && !($expires && $ask->now > $expires);
}

function laravel(object $ask): array
{
    $routes = new Illuminate\Routing\RouteCollection();
    $routes->add((new Illuminate\Routing\Route(['GET'], '{path}', ['as' => 'r', fn () => 1]))->where('path', '.*'));
    $routes->refreshNameLookups();
    $generator = new Illuminate\Routing\UrlGenerator($routes, Illuminate\Http\Request::create($ask->origin));
    $generator->setKeyResolver(fn () => $ask->key);
    Illuminate\Support\Carbon::setTestNow(Illuminate\Support\Carbon::createFromTimestamp($ask->now));
    $expires = $ask->expires ? new DateTimeImmutable("@$ask->expires") : null;
    $link = $generator->signedRoute('r', ['path' => trim($ask->path, '/')] + (array) $ask->parameters, $expires, $ask->absolute);
    $verdicts = array_map(function ($other) use ($ask, $generator) {
        $request = Illuminate\Http\Request::create($other[0] === '/' ? $ask->origin . $other : $other);
        // As a server has it. Request::create() would print the query anew.
        $request->server->set('QUERY_STRING', parse_url($other, PHP_URL_QUERY) ?? '');
        try {
            return $generator->hasValidSignature($request, $ask->absolute);
        } catch (Symfony\Component\HttpFoundation\Exception\SuspiciousOperationException) {
            return false;
        }
    }, $ask->links);
    return ['link' => $link, 'verdicts' => $verdicts];
}

while (($line = fgets(STDIN)) !== false) {
    $ask = json_decode($line);
    $answer = $framework ? laravel($ask) : [
        'link' => formula_link($ask),
        'verdicts' => array_map(fn ($link) => formula_verdict($ask, $link), $ask->links),
    ];
    $answer['by'] = $framework ? 'framework' : 'formula';
    $answer['formula'] = ['link' => formula_link($ask), 'verdicts' => array_map(fn ($link) => formula_verdict($ask, $link), $ask->links)];
    echo json_encode($answer, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
}
