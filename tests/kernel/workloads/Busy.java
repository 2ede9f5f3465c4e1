// java Busy SECONDS: a server that is its own client, with what makes the just-in-time compiler work: hot methods,
// lambdas, reflection, and null pointers, which the virtual machine takes as page faults; at times it runs a program.
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.stream.IntStream;

public class Busy {
    private static String nothing;

    private static long compute(int turn) throws Exception {
        long sum = IntStream.range(0, 2000).mapToLong(at -> (long) at * turn % 7).filter(value -> value > 2).sum();
        for (int at = 0; at < 2000; at++) {
            try {
                sum += nothing.length();
            } catch (NullPointerException expected) {
                sum++;
            }
        }
        return sum + (Long) Busy.class.getDeclaredMethod("hot", long.class).invoke(null, sum);
    }

    public static long hot(long begin) {
        long value = begin;
        for (int at = 0; at < 20000; at++) {
            value = value * 31 + at;
        }
        return value;
    }

    private static void work(long end) {
        try {
            for (int turn = 0; System.nanoTime() < end; turn++) {
                compute(turn);
            }
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] words) throws Exception {
        long end = System.nanoTime() + Long.parseLong(words[0]) * 1_000_000_000L;
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 8);
        server.createContext("/", exchange -> {
            byte[] answer = Long.toString(hot(exchange.hashCode())).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        HttpClient client = HttpClient.newHttpClient();
        URI address = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        Thread other = new Thread(() -> work(end));
        other.start();
        int turn = 0;
        while (System.nanoTime() < end) {
            client.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
            if (turn++ % 50 == 0) {
                new ProcessBuilder("true").start().waitFor();
            }
        }
        other.join();
        server.stop(0);
        System.out.println(turn);
        System.exit(0);
    }
}
