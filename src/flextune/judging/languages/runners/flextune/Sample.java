package flextune;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Scanner;
import java.util.Stack;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.javatuples.Pair;
import org.javatuples.Triplet;

/** Uses what answers to benchmark problems use, so that the shared archive holds these classes. */
public final class Sample {
    public static void main(String[] arguments) {
        List<Integer> numbers = new ArrayList<>(Arrays.asList(3, 1, 2));
        Collections.sort(numbers, (left, right) -> right - left);
        Map<String, Long> counts = new HashMap<>();
        for (String word : "a b a".split(" ")) {
            counts.merge(word, 1L, Long::sum);
        }
        String joined = counts.entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(", ", "{", "}"));
        int total = IntStream.rangeClosed(1, 10).filter(n -> n % 2 == 0).map(n -> n * n).sum();
        List<Object> others = List.of(
                new TreeMap<>(counts), new LinkedHashMap<>(counts), new HashSet<>(numbers), new PriorityQueue<>(numbers),
                new ArrayDeque<>(numbers), Optional.of(total), Pair.with(1, "x"), Triplet.with(1, 2L, 3.0f),
                new StringBuilder(joined).reverse(), new Scanner("1 2").nextInt(),
                Pattern.compile("[a-z]+").matcher(joined).find(), Math.round(2.5f), Objects.hash(1, 2),
                numbers.stream().mapToInt(Integer::intValue).boxed().collect(Collectors.toList()),
                joined.chars().mapToObj(c -> String.valueOf((char) c)).collect(Collectors.groupingBy(c -> c)));
        System.out.println(String.format("%s %d %.2f %s", joined, total, 1.5, others));
        assert Pair.with(1, "x").equals(Pair.with(1, "x"));
        moreStreams(new ArrayList<>(List.of("b", "a")));
        failures();
    }

    private static void moreStreams(List<String> words) {
        Collections.sort(words);
        words.sort(Comparator.comparing(String::length).thenComparing(Comparator.reverseOrder()));
        words.removeIf(String::isEmpty);
        for (String word : List.of("x", "y").subList(0, 1)) {
            words.add(word + words.size() + '-' + 1.5 + true);
        }
        long evens = LongStream.rangeClosed(1, 4).filter(n -> n % 2 == 0).sum();
        double mean = words.stream().mapToInt(String::length).average().orElse(0);
        boolean any = words.stream().anyMatch(word -> word.contains("a")) && "ab".chars().allMatch(Character::isLetter);
        Object[] others = {
            words.stream().distinct().count(), words.stream().reduce("", (left, right) -> left + right),
            words.stream().collect(Collectors.toMap(word -> word, String::length, Integer::sum)),
            words.stream().collect(Collectors.groupingBy(word -> word, Collectors.counting())),
            IntStream.range(0, 3).mapToObj(Integer::toString).collect(Collectors.joining()),
            Arrays.stream(new int[] {2, 1}).sorted().boxed().toArray(Integer[]::new), evens, mean, any,
            words.stream().max(Comparator.naturalOrder()).get(), new LinkedList<>(words), new Stack<>(), new Random(1).nextInt(9),
            new BigDecimal("1.25").setScale(1, RoundingMode.HALF_UP), BigInteger.TWO.pow(70), Math.floorMod(-1, 3)};
        System.out.println(Arrays.deepToString(others) + String.join(",", words));
    }

    /** What a program's last moments load, and may not cost it more than needed. */
    private static void failures() {
        for (Supplier<Object> failing : List.<Supplier<Object>>of(
                () -> List.of().get(0), () -> Integer.parseInt("x"), () -> new int[0][1], () -> Optional.empty().get())) {
            try {
                failing.get();
            } catch (RuntimeException error) {
                error.printStackTrace();
            }
        }
        try {
            Sample.class.getDeclaredMethod("fail").invoke(null);
        } catch (ReflectiveOperationException error) {
            error.getCause().printStackTrace();
        }
    }

    static void fail() {
        throw new AssertionError("expected");
    }
}
