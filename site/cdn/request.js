// Viewer request: the one path that is served, on the domain that is asked for. Everything else ends here.
function handler(event) {
    var request = event.request;
    var host = request.headers.host ? request.headers.host.value : '';
    var domain = host.toLowerCase().replace(/:[0-9]{0,5}$/, '').replace(/\.$/, '');
    var name = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
    if (request.uri !== '/.well-known/jwks.json' || domain.length > 253 || !name.test(domain)) {
        return {
            statusCode: 404,
            statusDescription: 'Not Found',
            headers: {
                'access-control-allow-origin': { value: '*' },
                'cache-control': { value: 'public, max-age=10' },
                'content-type': { value: 'text/plain; charset=utf-8' },
                'x-content-type-options': { value: 'nosniff' }
            },
            body: { encoding: 'text', data: '404 Not Found\n' }
        };
    }
    request.uri = '/live/' + domain + '/.well-known/jwks.json';
    request.querystring = {};
    return request;
}
