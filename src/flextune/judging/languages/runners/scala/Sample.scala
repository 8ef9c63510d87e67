package flextune

import scala.collection.mutable

/** Uses what answers to benchmark problems use, so that the shared archive holds these classes. */
object ScalaSample {
  def main(arguments: Array[String]): Unit = {
    val numbers = List(3L, 1L, 2L)
    val words = "b a b".split(" ").toList
    val counts = mutable.Map[String, Int]().withDefaultValue(0)
    for (word <- words) counts(word) += 1
    val buffer = mutable.ListBuffer[Long]()
    var total = 0L
    for (i <- 0 until numbers.length if i % 2 == 0) { total += numbers(i); buffer += total }
    val others = List[Any](
      numbers.sorted, numbers.sortBy(-_), numbers.map(_ * 2).filter(_ > 2).sum, numbers.max, numbers.reverse.mkString(","),
      words.groupBy(identity).mapValues(_.size).toList.sortBy(_._2), words.zipWithIndex.toMap, words.distinct, words.toSet,
      numbers.foldLeft(0L)(_ + _), numbers.zip(words).headOption, Some(1).map(_ + 1), Array(1, 2).toList, Vector(1, 2) :+ 3,
      "abc".map(_.toUpper).reverse, "a1".filter(_.isDigit), "x" * 3, numbers.exists(_ > 1), numbers.forall(_ > 1),
      mutable.Stack(1), mutable.Queue(1), mutable.Set(1), mutable.ArrayBuffer(1, 2), (1 to 3).toList, math.sqrt(2.0),
      BigInt(2).pow(70), 1.5f.toString, numbers.sliding(2).toList, numbers.take(2) ::: numbers.drop(1), "%.2f".format(1.5),
      numbers match { case first :: rest => (first, rest); case Nil => 0 }, Right[String, Int](1))
    println(s"$others $counts $buffer")
    assert(numbers == Seq(3L, 1L, 2L))
    try assert(words.isEmpty)
    catch { case error: AssertionError => error.printStackTrace() }
    try words(9)
    catch { case error: IndexOutOfBoundsException => error.printStackTrace() }
  }
}
